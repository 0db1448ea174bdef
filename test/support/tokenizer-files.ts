/** Small tokenizers as Hugging Face writes them, one of each model, made here; and Llama 3's from the package that we ship. */
import packageTokenizer from 'llama3-tokenizer-js'

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
})

const letters = 'ĠCabcdefghilnorstuw<>|_/éÃ©'
const byteMerges = ['t h', 'Ġ th', 'Ġth e', 'i n', 'c a', 'ca t', 'Ġ cat', 'e o', 'Ã ©']
const byteVocab = [
  '<s>',
  '</s>',
  '<|eot_id|>',
  ...new Set(letters),
  ...byteMerges.map((pair) => pair.replace(' ', '')),
]

/** Byte-level BPE, as GPT-2, Llama 3 and Qwen have it. */
export const byteLevel = {
  version: '1.0',
  added_tokens: [...['<s>', '</s>', '<|eot_id|>'].map((name, id) => special(id, name))],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    unk_token: null,
    vocab: Object.fromEntries(byteVocab.map((name, id) => [name, id])),
    merges: byteMerges,
  },
}

const pieces = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'the',
  'cat',
  '##s',
  'na',
  '##ive',
  '!',
  '[',
  ']',
  'cls',
  '##e',
]

/** WordPiece, as BERT has it. */
export const wordPiece = {
  version: '1.0',
  added_tokens: pieces.slice(0, 4).map((name, id) => special(id, name)),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(pieces.map((name, id) => [name, id])),
  },
}

/** Unigram, as T5 has it. */
export const unigram = {
  version: '1.0',
  added_tokens: [special(0, '<unk>'), special(1, '</s>')],
  normalizer: { type: 'NFKC' },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: null,
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['</s>', 0],
      ['▁', -3],
      ['▁the', -2],
      ['▁c', -5],
      ['at', -4],
      ['a', -6],
      ['t', -6.5],
      ['s', -5],
      ['cat', -3.5],
      ['fi', -7],
      ['<', -8],
      ['/', -8],
      ['>', -8],
    ],
  },
}

/** Llama 3's vocabulary as its own tokenizer.json has it. */
export function llama3File(): object {
  const { vocabById, merges } = packageTokenizer
  const names = vocabById.slice(128_000)
  const split =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
  return {
    version: '1.0',
    added_tokens: names.map((name, i) => special(128_000 + i, name)),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: split }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: null,
      ignore_merges: true,
      vocab: Object.fromEntries(vocabById.slice(0, 128_000).map((name, id) => [name, id])),
      merges: [...merges].toSorted((a, b) => a[1] - b[1]).map(([pair]) => pair),
    },
  }
}
