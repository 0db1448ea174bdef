/**
 * Tells close relatives apart by the small words that only one of them has. Knows nothing of models or scripts.
 *
 * Letter n-grams are nearly the same in such languages; marker words are what separates them (Tiedemann and Ljubesic 2012,
 * "Efficient discrimination between closely related languages").
 */

interface Relative {
  readonly language: string
  /** Words that the others of the group do not have, or do not spell so. */
  readonly words: ReadonlySet<string>
  /** Word parts of the same kind. */
  readonly parts: RegExp
}

function relative(language: string, words: string, parts: RegExp): Relative {
  return { language, words: new Set(words.split(/\s+/)), parts }
}

/** Indonesian and Malay: spelling differences (bahwa/bahawa, karena/kerana), and words of Dutch against words of English origin. */
const malay = [
  relative(
    'id',
    `bahwa karena yaitu yakni bisa saja mau beda berbeda perbedaan coba mencoba delapan senin kantor uang mobil sepeda bicara berbicara
    perusahaan pemerintah berbagai agustus juli juni desember januari februari polisi universitas gratis kota provinsi kabupaten
    alamiah mutlak hukum siapapun apapun manapun kalau nggak gak banget telepon televisi listrik koran handuk asuransi apotek
    kualitas tetapi resmi warga rakyatnya kekerasan pendidikan anda kemarin segera butuh membutuhkan khawatir ibukota rumah-sakit
    merdeka kemerdekaan tindakan layak wajar tiap jaminan bangsa-bangsa kebudayaan`,
    /(?:itas|ifikasi|asional|ogi)$/u,
  ),
  relative(
    'ms',
    `bahawa bahawasanya kerana iaitu ialah sahaja mahu beza berbeza perbezaan cuba mencuba lapan isnin pejabat wang basikal cakap
    bercakap syarikat kerajaan pelbagai manakala daripada hendaklah boleh ogos julai jun disember januari-mac polis universiti percuma
    bandar negeri daerah-jajahan asasi sesiapa sesiapapun mana-mana semalam telefon televisyen elektrik akhbar tuala insurans farmasi
    kualiti tetapi-juga pertubuhan menerusi menurut-undang awak mustahak perkhidmatan kakitangan pengiktirafan mengiktiraf kesihatan
    pelajaran taraf saksama kesaksamaan samarata faedah tersendiri dipercayai risau segera-lah kepunyaan hospital`,
    /(?:iti|isme-nya|syen)$|^(?:bahawa|keutama)/u,
  ),
]

/** The large languages written in Devanagari: case endings are words of their own in Hindi, suffixes in Marathi and Nepali. */
const devanagari = [
  relative(
    'hi',
    'के की का है हैं में और से को ने यह इस कि जो नहीं था थे थी पर लिए सभी अपने अपनी किसी इन उन उसके इसके होने गया गई करने करना द्वारा साथ या चूंकि',
    /(?:ियों|ाओं)(?![\p{L}\p{M}])/u,
  ),
  relative(
    'mr',
    'आहे आहेत व आणि नाही होते होता होती हे हा त्या त्यांच्या त्याच्या यांच्या किंवा असे असून मध्ये साठी पासून म्हणून ज्या अशा तर त्याला',
    /ळ|(?:च्या|ाची|ाचे|ाचा|ांना|ातील|ांनी|ण्यात|ण्यास|ावर|ावा|ावी)(?![\p{L}\p{M}])/u,
  ),
  relative(
    'ne',
    'छ छन् छैन छैनन् र हो हुन् हुने भएको गर्ने गर्न गरेको पनि लागि सबै हुनेछ गरी भने यो त्यो कुनै अनुसार',
    /(?:हरू|हरु|लाई|मा|ले|को|का|की|बाट|सँग|न्छ|नेछ|िने)(?![\p{L}\p{M}])/u,
  ),
]

const groups: { readonly [language: string]: readonly Relative[] } = {
  ms: malay,
  id: malay,
  hi: devanagari,
  mr: devanagari,
  ne: devanagari,
}

/** The answer where the text shows nothing: far more people write Indonesian than Malay. */
const priors: { readonly [language: string]: string } = { ms: 'id' }

/** A second look at a language that has close relatives. */
export const tellApart = {
  /** Languages that only the second look can answer. */
  languages: ['id', 'ms', 'hi', 'mr', 'ne'],

  /** The relative with the most markers in the text; where none has more, the likelier one, which is then not `sure`. */
  of(language: string, text: string): { readonly language: string; readonly sure: boolean } {
    const group = groups[language]
    if (group === undefined) return { language, sure: true }
    const likelier = priors[language] ?? language
    const words = text.toLowerCase().match(/[\p{L}\p{M}]+(?:-[\p{L}\p{M}]+)*/gu) ?? []
    const found = group.map(({ language, words: markers, parts }) => ({
      language,
      count: words.filter((word) => markers.has(word) || parts.test(word)).length,
    }))
    const most = Math.max(...found.map(({ count }) => count))
    const leaders = found.filter(({ count }) => count === most).map(({ language }) => language)
    const best = leaders.includes(likelier) ? likelier : (leaders[0] ?? language)
    return { language: best, sure: best === language || leaders.length === 1 }
  },
}
