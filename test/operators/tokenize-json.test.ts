import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { tokenize } from '../../operators/data/tokenize.ts'
import { tokenizerOf } from '../../operators/data/tokenize-json.ts'
import { loadLlama3 } from '../../operators/data/tokenize-llama3.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'
import { byteLevel, llama3File, unigram, wordPiece } from '../support/tokenizer-files.ts'

const cases = join(import.meta.dirname, '../../../shared/cases/llama/llama3-bpe.json')
const skip = existsSync(cases) || process.env.DAGCTL_TEST_REQUIRE === 'all' ? false : 'no shared cases here'

const load = (file: object) => tokenizerOf(JSON.stringify(file), 'tokenizer.json')

/** Text, its ids where names of special tokens are text, and where they are tokens: by the Rust library tokenizers 0.22.1. */
const vectors: [object, string, number[], number[]?][] = [
  [byteLevel, 'the cat', [30, 9, 36]],
  [
    byteLevel,
    ' the café </s>cats<|eot_id|>',
    [32, 3, 34, 10, 38, 3, 22, 26, 18, 23, 35, 18, 22, 24, 37, 19, 25, 13, 8, 24, 23],
    [32, 3, 34, 10, 38, 3, 1, 35, 18, 2],
  ],
  [byteLevel, '<s>in</s>', [22, 18, 23, 33, 22, 26, 18, 23], [0, 33, 1]],
  [byteLevel, 'Cé', [4, 38]],
  [wordPiece, 'The cats, naïve!', [4, 5, 6, 1, 7, 8, 9]],
  [wordPiece, '[CLS] cat[SEP]', [10, 12, 11, 5, 10, 1, 11], [2, 5, 3]],
  [unigram, 'the cats', [3, 2, 9, 8]],
]

t.test('BPE, WordPiece and Unigram give the ids of the reference', async (t) => {
  for (const [file, text, plain, parsed = plain] of vectors) {
    const tokenizer = await load(file)
    t.strictSame(tokenizer.encode(text), plain, text)
    t.strictSame(tokenizer.encode(text, true), parsed, text)
  }
  t.match(await load(wordPiece), { vocabulary: 14, specials: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] })
})

t.test('a text never becomes a special token, also where the reference lets it', async (t) => {
  const tokenizer = await load(unigram)
  // The reference finds </s> among the pieces of a Unigram vocabulary: [2, 10, 2, 1, 9, 2, 0].
  t.strictSame(tokenizer.encode('ﬁ </s>cat z'), [2, 10, 2, 11, 12, 8, 13, 9, 2, 0])
  t.strictSame(tokenizer.encode('ﬁ </s>cat z', true), [2, 10, 2, 1, 2, 9, 2, 0])
  for (const file of [byteLevel, wordPiece, unigram]) {
    const { encode, specials, id } = bound(await load(file))
    const controls = specials.filter((name) => !['<unk>', '[UNK]'].includes(name)).map(id)
    const pieces = fc.constantFrom(
      ...specials,
      '<',
      '/s>',
      's',
      '>',
      '[',
      'CLS]',
      '\ud800',
      '\udc00',
      ' ',
      'cat',
      'ﬁ',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        t.notOk(encode(parts.join('')).some((found) => controls.includes(found)))
      }),
      { numRuns: 100 },
    )
  }
})

function bound(tokenizer: Awaited<ReturnType<typeof load>>) {
  const { specials } = tokenizer
  return {
    specials,
    encode: (text: string) => tokenizer.encode(text),
    id: (name: string) => tokenizer.id(name),
  }
}

t.test('Llama 3 as a tokenizer.json gives the published ids', { skip }, async (t) => {
  const tokenizer = await load(llama3File())
  const own = await loadLlama3()
  const { vectors, peer_vectors: peers = [] } = JSON.parse(readFileSync(cases, 'utf8'))
  t.ok(vectors.length >= 44)
  for (const { text, ids } of [...vectors, ...peers])
    t.strictSame(tokenizer.encode(text), ids, JSON.stringify(text))
  const text = '<|eot_id|>the <|begin_of_text|> end'
  t.strictSame(tokenizer.encode(text), own.encode(text))
  t.strictSame(tokenizer.encode(text, true), own.encode(text, true))
  t.equal(tokenizer.vocabulary, own.vocabulary)
})

t.test('what would be tokenized otherwise than by the reference is refused by its name', async (t) => {
  const bpe = byteLevel.model
  const bad: [unknown, RegExp][] = [
    [null, /no `model`/],
    [{ model: {} }, /no `model` with a `vocab`/],
    [
      { ...byteLevel, model: { ...bpe, type: 'WordLevel' } },
      /a model of the type WordLevel is not supported/,
    ],
    [{ ...byteLevel, model: { ...bpe, dropout: 0.1 } }, /`dropout`/],
    [{ ...byteLevel, pre_tokenizer: { type: 'UnicodeScripts' } }, /UnicodeScripts/],
    [
      { ...byteLevel, pre_tokenizer: { type: 'Punctuation', behavior: 'Isolated' } },
      /Punctuation with `Isolated`/,
    ],
    [{ ...byteLevel, normalizer: { type: 'Nmt' } }, /Nmt/],
    [
      {
        ...byteLevel,
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext', invert: false },
          ],
        },
      },
      /Split with `MergedWithNext`/,
    ],
  ]
  for (const [file, message] of bad)
    await t.rejects(tokenizerOf(JSON.stringify(file), 'x.json'), { kind: 'invalid_input', message })
  await t.rejects(tokenizerOf('{', 'x.json'), {
    message: /cannot use the tokenizer x\.json: it is no tokenizer\.json/,
  })
})

t.test('a split that the normalizer leaves nothing for is no hindrance', async (t) => {
  const tokenizer = await load({
    ...byteLevel,
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: 'Ġ' },
    pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
  })
  t.strictSame(tokenizer.encode('the cat'), [30, 9, 36])
})

t.test('documents are packed with the tokens that were named', async (t) => {
  const dir = t.testdir({
    in: { 'a.jsonl': '{"text":"the cat"}\n{"text":"in<s>"}' },
    't.json': JSON.stringify(byteLevel),
  })
  const run = async (more: JsonObject) => {
    const input = {
      input: 'in',
      output: 'out',
      tokenizer: 't.json',
      contextLength: 8,
      packing: 'none',
      ...more,
    }
    const { outcome } = await runOperator(tokenize, input, { dir })
    return outcome as unknown as { type: string; kind?: string; message?: string }
  }
  t.match(await run({ bos: '<s>', eos: '</s>' }), { type: 'succeeded' })
  const manifest = JSON.parse(readFileSync(join(dir, 'out/manifest.json'), 'utf8'))
  t.match(manifest, {
    tokenizer: 't.json',
    tokenizerSha256: /^[0-9a-f]{64}$/,
    vocabulary: 39,
    bos: 0,
    eos: 1,
    pad: 1,
  })
  const bytes = readFileSync(join(dir, 'out/part-00000.bin'))
  t.strictSame(
    Array.from({ length: 16 }, (_, i) => bytes.readUInt32LE(i * 4)),
    [0, 30, 9, 36, 1, 1, 1, 1, 0, 33, 22, 18, 23, 1, 1, 1],
  )
  t.match(await run({}), {
    kind: 'invalid_input',
    message: /does not say what its `bos` is; name it .*<s>, <\/s>/,
  })
  t.match(await run({ bos: false, eos: false, pad: '<pad>' }), {
    message: /`pad` names "<pad>", which the tokenizer does not/,
  })
  writeFileSync(join(dir, 't.json'), '{}')
  t.match(await run({ bos: false, eos: false }), {
    kind: 'invalid_input',
    message: /cannot use the tokenizer t\.json/,
  })
})

t.test('a text that the tokenizer cannot take is rejected, and so is one of no tokens', async (t) => {
  const lines = ['the cat', 'the cats '.repeat(60_000)].map((text) => JSON.stringify({ text }))
  const dir = t.testdir({ in: { 'a.jsonl': lines.join('\n') }, 't.json': JSON.stringify(unigram) })
  const input = { input: 'in', output: 'out', tokenizer: 't.json', contextLength: 8, bos: false, eos: false }
  t.match((await runOperator(tokenize, input, { dir })).outcome, {
    type: 'succeeded',
    outputs: { documents: 1, reasons: { too_long: 1 } },
  })
  const none = t.testdir({
    in: { 'a.jsonl': '{"text":"the"}\n{"text":"Z"}' },
    't.json': JSON.stringify(byteLevel),
  })
  t.match((await runOperator(tokenize, input, { dir: none })).outcome, {
    outputs: { documents: 1, reasons: { empty_text: 1 } },
  })
})
