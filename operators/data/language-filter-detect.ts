/**
 * Tells the language of a text: eld's n-gram model, corrected by script and by close relatives. Knows nothing of records.
 *
 * The model is eld's `medium`: at 50 characters it answers as `large` does, in half the memory (71 MB) and a quarter of the
 * load time. It reads only the first 350 bytes of what it is given, so a long text is looked at in several windows.
 */
import { tellApart } from './language-filter-relatives.ts'
import { byScript } from './language-filter-scripts.ts'

/** What a text seems to be written in. */
export interface Detection {
  /** ISO 639-1 where there is one; null where the text has too few letters, or no language that is known. */
  readonly language: string | null
  /** 0 to 1: how well the text fits the language; comparable between texts of one language only. */
  readonly score: number
  /** False where the best language fits badly or another fits nearly as well: then it is only a guess. */
  readonly reliable: boolean
}

/** A loaded detector; pure, so the same text has the same answer. */
export interface Detector {
  detect(text: string): Detection
  /** The codes that `detect` can answer. */
  readonly languages: readonly string[]
}

/** Characters up to which a text is one window: about what the model reads. */
const shortText = 600
/** Characters of a window of a longer text, and where windows begin, as shares of the way to the last one, in this order. */
const windowSize = 300
const places = [0, 0.5, 1, 0.25, 0.75]
/** Fewer letters than this carry no language ("ok", "lol"). */
const enoughLetters = /(?:\p{L}\P{L}*){6}/u
const unknown: Detection = { language: null, score: 0, reliable: false }

/** Loads the model (about 0.3 s); keep the detector for all texts. */
export async function loadDetector(): Promise<Detector> {
  const { eld } = await import('eld/medium')
  const known = Object.values(eld.info().Languages)
  return {
    languages: [...new Set([...known, ...byScript.languages, ...tellApart.languages])].sort(),
    detect: (text) => detectWith((window) => eld.detect(window), text),
  }
}

interface Guess {
  readonly language: string
  getScores(): { readonly [language: string]: number }
  isReliable(): boolean
}

function detectWith(model: (window: string) => Guess, text: string): Detection {
  const windows = windowsOf(text)
  const sample = windows.join(' ')
  const script = byScript.of(sample)
  if (script !== null) return { language: script, score: 1, reliable: true }
  if (!enoughLetters.test(sample)) return unknown
  const best = agreed(windows, model)
  if (best === null) return unknown
  const { language, sure } = tellApart.of(best.language, sample)
  return { language, score: best.score, reliable: sure && best.reliable }
}

/** A language, and how sure it is. */
interface Vote {
  readonly language: string
  readonly score: number
  readonly reliable: boolean
}

/** The language that two windows are sure of, where there are several; else the best guess. Asks no more windows than it needs. */
function agreed(windows: readonly string[], model: (window: string) => Guess): Vote | null {
  const votes: Vote[] = []
  for (const window of windows) {
    const guess = model(window)
    if (guess.language === '') continue
    const score = guess.getScores()[guess.language] ?? 0
    const vote = { language: guess.language, score, reliable: guess.isReliable() }
    const ally = votes.find(({ language, reliable }) => reliable && language === vote.language)
    if (ally && vote.reliable) return { ...vote, score: (ally.score + score) / 2 }
    votes.push(vote)
  }
  const [best] = votes.toSorted((a, b) => Number(b.reliable) - Number(a.reliable) || b.score - a.score)
  if (best === undefined) return null
  // Windows that are sure of different languages make a mixed text, of which nothing is sure.
  const alone = votes.filter(({ reliable }) => reliable).length === 1
  return { ...best, reliable: best.reliable && alone }
}

/** The whole of a short text; of a longer one five windows, from its start to its end. */
function windowsOf(text: string): string[] {
  if (text.length <= shortText) return [text]
  return places.map((place) => cut(text, Math.round(place * (text.length - windowSize))))
}

/** A window that begins after a space where there is one near, so that it has no half word. */
function cut(text: string, from: number): string {
  const window = text.slice(from, from + windowSize)
  if (from === 0) return window
  const space = window.search(/\s/u)
  return space >= 0 && space < 40 ? window.slice(space + 1) : window
}
