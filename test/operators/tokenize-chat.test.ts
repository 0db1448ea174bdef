import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { tokenize } from '../../operators/data/tokenize.ts'
import { llama3Chat, type Message, messagesOf, type Turns } from '../../operators/data/tokenize-chat.ts'
import { tokenizerOf } from '../../operators/data/tokenize-json.ts'
import { loadLlama3 } from '../../operators/data/tokenize-llama3.ts'
import { templateOf } from '../../operators/data/tokenize-template.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { datasetRecords, stoppedAfter } from '../support/datasets.ts'
import { runOperator } from '../support/task-context.ts'
import { byteLevel } from '../support/tokenizer-files.ts'

/** Llama 3's format as a template. */
const template = [
  '{{ bos_token }}',
  '{%- for message in messages %}',
  "{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}",
  "{{- message.content | trim + '<|eot_id|>' }}",
  '{%- endfor %}',
  '{%- if add_generation_prompt %}{{ raise_exception("nobody is asked here") }}{% endif %}',
].join('\n')

const ids = async (text: string) => (await loadLlama3()).encode(text, true)

async function format() {
  const chat = llama3Chat(await loadLlama3())
  if (!chat) throw new Error('Llama 3 has no chat format')
  return chat
}

t.test('a conversation is what the published format says, token by token', async (t) => {
  const messages = [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: '  What is 2 + 2?\n' },
    { role: 'assistant', content: '4' },
  ]
  const turns = (await format())(messages, false)
  if (typeof turns === 'string') throw new Error(turns)
  t.strictSame(turns.ids, [
    ...[128_000, 128_006, 9125, 128_007, 271],
    ...(await ids('You are a helpful assistant.')),
    ...[128_009, 128_006, 882, 128_007, 271],
    ...(await ids('What is 2 + 2?')),
    ...[128_009, 128_006, 78_191, 128_007, 271],
    ...[19, 128_009],
  ])
  t.strictSame(
    turns.ids.filter((_, i) => turns.learned[i]),
    [19, 128_009],
  )
})

t.test('white space around a content is taken away as Python takes it', async (t) => {
  const chat = await format()
  const content = (text: string) => (chat([{ role: 'user', content: text }], false) as Turns).ids
  t.strictSame(content('\u001c\u0085 a\u00a0\n'), content('a'))
  t.not(content('\ufeffa').length, content('a').length)
})

const word = fc.constantFrom(
  '<|eot_id|>',
  '<|start_header_id|>',
  'system',
  '<|end_header_id|>',
  '\n',
  ' ',
  '<',
  '<|',
  '|>',
  '>',
  '_id|>',
  'a',
  '🦙',
  "don't",
  '\ud800',
  '\ufdd0',
)
const content = fc.array(word, { maxLength: 8 }).map((words) => words.join(''))
const role = fc.constantFrom('system', 'user', 'assistant')
const conversation = fc.array(fc.record({ role, content }), { minLength: 1, maxLength: 3 })

t.test(
  'whatever people write, only the template ends a turn; template and built-in format agree',
  async (t) => {
    const tokenizer = await loadLlama3()
    const chat = await format()
    const options = { bos: '<|begin_of_text|>', eos: '', specials: tokenizer.specials }
    const render = await templateOf(template, options)
    fc.assert(
      fc.property(conversation, (messages) => {
        const turns = chat(messages, false)
        const rendered = render(messages)
        if (typeof turns === 'string' || typeof rendered === 'string') throw new Error(`${turns} ${rendered}`)
        t.equal(turns.ids.filter((id) => id >= 128_000).length, 1 + 3 * messages.length)
        t.strictSame(tokenizer.encode(rendered.text, true, rendered.marker), turns.ids)
      }),
      { numRuns: 300 },
    )
  },
)

t.test('a template cannot be led to write a special token out of halves', async (t) => {
  const tokenizer = await tokenizerOf(JSON.stringify(byteLevel), 'tokenizer.json')
  const render = await templateOf("{% for m in messages %}<{{ m.content }}>{{ '</s>' }}{% endfor %}", {
    bos: '',
    eos: '',
    specials: tokenizer.specials,
  })
  for (const text of ['s', '/s', '|eot_id|', 's><s', ' s ', '|eot_id|><']) {
    const rendered = render([{ role: 'user', content: text }])
    if (typeof rendered === 'string') throw new Error(rendered)
    const tokens = tokenizer.encode(rendered.text, true, rendered.marker)
    t.strictSame(
      tokens.filter((id) => id < 3),
      [1],
      text,
    )
    t.strictSame(tokens.slice(0, -1), tokenizer.encode(`<${text}>`), text)
  }
})

t.test('templates may test and cut contents, refuse them, and never know the date', async (t) => {
  const render = await templateOf(
    "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}" +
      "{{ m.content.split('</think>')[-1] | trim }}{% if strftime_now is defined %}now{% endif %};{% endfor %}",
    { bos: '', eos: '', specials: ['<|im_end|>'] },
  )
  const user = (content: string): Message => ({ role: 'user', content })
  t.match(render([user('<think>a</think> b'), user('c')]), { text: 'b;c;' })
  t.equal(render([{ role: 'tool', content: '' }]), 'the template refuses the messages: no tools')
  t.match(render([{ role: 'user' }]), /the template does not fit the messages/)
  await t.rejects(templateOf('{% for %}', { bos: '', eos: '', specials: [] }))
})

t.test('only a list of messages with a known role is a conversation', (t) => {
  t.type(messagesOf(undefined), 'string')
  t.type(messagesOf([]), 'string')
  t.type(messagesOf([{ content: 'a' }]), 'string')
  t.match(messagesOf([{ role: 'eot_id', content: 'a' }]), /the role of message 1 is none of system, /)
  t.type(messagesOf([{ role: 'user', content: 'a' }]), Array)
  t.end()
})

const lines = Array.from({ length: 30 }, (_, n) =>
  JSON.stringify({
    chat: {
      messages: [
        { role: 'user', content: `Count ${'on and '.repeat(n % 5)}to ${n}` },
        { role: 'assistant', content: `${'1 2 3 '.repeat(n % 7)}${n}` },
      ],
    },
  }),
)

async function run(dir: string, more: JsonObject, attempt = 1, signal = new AbortController().signal) {
  const input = {
    input: 'in',
    output: 'out',
    messages: 'chat.messages',
    contextLength: 32,
    maxMalformed: 1,
    ...more,
  }
  const { outcome } = await runOperator(tokenize, input, { dir, attempt, signal })
  return outcome as unknown as { type: string; kind?: string; message?: string; outputs: JsonObject }
}

function tokensOf(dir: string): number[] {
  const { shards } = JSON.parse(readFileSync(join(dir, 'out/manifest.json'), 'utf8'))
  return shards.flatMap(({ name }: { name: string }) => {
    const bytes = readFileSync(join(dir, 'out', name))
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4))
  })
}

t.test('the index says which tokens the assistant speaks, also where a row cuts them', async (t) => {
  const bad = [
    '{"chat":{}}',
    '{"chat":{"messages":[{"role":"user","content":5}]}}',
    '{"chat":{"messages":[{"role":"me"}]}}',
  ]
  const dir = t.testdir({ in: { 'a.jsonl': [...lines, ...bad].join('\n') } })
  for (const packing of ['concat', 'best-fit']) {
    const { outputs } = await run(dir, { packing, loss: 'assistant' })
    t.match(outputs, { documents: 30, rejected: 3, reasons: { bad_messages: 3 } })
    const tokens = tokensOf(dir)
    const index = readFileSync(join(dir, 'out/index/part-00000.jsonl'), 'utf8').trimEnd().split('\n')
    const learned = index.flatMap((line, row) =>
      JSON.parse(line).loss.flatMap(([from, to]: [number, number]) =>
        tokens.slice(row * 32 + from, row * 32 + to),
      ),
    )
    const chat = await format()
    const wanted = lines.flatMap((line) => {
      const turns = chat(JSON.parse(line).chat.messages, false)
      if (typeof turns === 'string') throw new Error(turns)
      return turns.ids.filter((_, i) => turns.learned[i])
    })
    t.strictSame(learned.toSorted(), wanted.toSorted(), packing)
    t.ok(tokens.every((id) => id < 128_256))
  }
  t.match(datasetRecords(dir, 'out/rejected'), [
    { detail: 'there is no list of messages' },
    { detail: 'the content of message 1 is not a string' },
    { detail: /the role of message 1/ },
  ])
})

t.test('a template from a file or a tokenizer_config.json gives the same rows', async (t) => {
  const dir = t.testdir({
    in: { 'a.jsonl': lines.join('\n') },
    'chat.jinja': template,
    'tokenizer_config.json': JSON.stringify({
      chat_template: template,
      bos_token: { content: '<|begin_of_text|>' },
    }),
    'list.json': JSON.stringify({ chat_template: [{ name: 'default', template }] }),
    'broken.jinja': '{% if %}',
    'wrong.jinja': '{{ messages[0].content + 1.nothing() }}',
  })
  await run(dir, {})
  const built = tokensOf(dir)
  for (const chatTemplate of ['chat.jinja', 'tokenizer_config.json']) {
    t.match(await run(dir, { chatTemplate }), { type: 'succeeded' })
    t.strictSame(tokensOf(dir), built)
    t.match(JSON.parse(readFileSync(join(dir, 'out/manifest.json'), 'utf8')), {
      chatTemplate,
      chatTemplateSha256: /^[0-9a-f]{64}$/,
    })
  }
  const refused: [JsonObject, RegExp][] = [
    [{ chatTemplate: 'list.json' }, /it has no text `chat_template`/],
    [{ chatTemplate: 'broken.jinja' }, /cannot use the template broken\.jinja/],
    [
      { chatTemplate: 'wrong.jinja' },
      /none of the first \d+ records .*: the template does not fit the messages/,
    ],
    [
      { chatTemplate: 'nowhere' },
      /`chatTemplate` is `llama3` or the path of a file; there is no file nowhere/,
    ],
    [
      { messages: 'talk' },
      /none of the first \d+ records has a conversation in `talk`: .*fields there: chat/,
    ],
    [{ loss: 'assistant', chatTemplate: 'chat.jinja' }, /`loss: assistant` needs/],
  ]
  for (const [input, message] of refused) t.match(await run(dir, input), { kind: 'invalid_input', message })
})

t.test('names of special tokens in a message are tokens where that was asked for', async (t) => {
  const line = JSON.stringify({ chat: { messages: [{ role: 'user', content: 'a<|eot_id|>b' }] } })
  const dir = t.testdir({ in: { 'a.jsonl': line }, 'chat.jinja': template })
  const ends = () => tokensOf(dir).filter((id) => id === 128_009).length
  for (const chatTemplate of ['llama3', 'chat.jinja']) {
    await run(dir, { chatTemplate })
    t.equal(ends(), 1)
    await run(dir, { chatTemplate, specialTokens: 'parse' })
    t.equal(ends(), 2)
  }
})

t.test('an attempt that was stopped goes on to the same rows and the same index', async (t) => {
  const files = (dir: string) => [
    tokensOf(dir),
    readFileSync(join(dir, 'out/index/part-00000.jsonl'), 'utf8'),
  ]
  const more = { loss: 'assistant', packing: 'best-fit', checkpointEvery: 4 }
  const whole = t.testdir({ in: { 'a.jsonl': lines.join('\n') } })
  await run(whole, more)
  const expected = files(whole)
  const dir = t.testdir({ in: { 'a.jsonl': lines.join('\n') } })
  t.match(await run(dir, more, 1, stoppedAfter(5)), { type: 'failed', kind: 'crash' })
  t.match(await run(dir, more, 2), { type: 'succeeded' })
  t.strictSame(files(dir), expected)
})
