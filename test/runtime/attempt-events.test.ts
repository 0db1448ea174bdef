import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { EventFollower, EventWriter, toEvent } from '../../engine/runtime/attempt-events.ts'
import type { AttemptEvent } from '../../engine/runtime/runtime.ts'

function follow(folder: string) {
  const events: AttemptEvent[] = []
  const faults: string[] = []
  const ends: number[] = []
  const follower = new EventFollower(
    folder,
    ({ event, end }) => {
      events.push(event)
      ends.push(end)
    },
    (message) => faults.push(message),
  )
  return { follower, events, faults, ends }
}

t.test('however a file grows, each whole line is taken once, in order', async (t) => {
  const dir = t.testdir()
  const lines = fc.array(
    fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.constant('x'.repeat(70_000))),
    {
      maxLength: 20,
    },
  )
  const cuts = fc.array(fc.nat(), { maxLength: 10 })
  fc.assert(
    fc.property(lines, cuts, (messages, at) => {
      const folder = mkdtempSync(join(dir, 'f'))
      const { follower, events, faults, ends } = follow(folder)
      const said = messages.map((message): AttemptEvent => ({ type: 'log', level: 'info', message }))
      const bytes = Buffer.from(said.map((event) => `${JSON.stringify(event)}\n`).join(''))
      const places = [...at.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b)
      for (let n = 1; n < places.length; n += 1) {
        appendFileSync(join(folder, 'events.jsonl'), bytes.subarray(places[n - 1], places[n]))
        follower.read()
      }
      follower.close()
      rmSync(folder, { recursive: true })
      t.strictSame(events, said)
      t.strictSame(faults, [])
      if (bytes.length > 0) t.equal(ends.at(-1), bytes.length)
    }),
    { numRuns: 50 },
  )
})

t.test('what a stranger writes never throws, and is an event or a told fault', async (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom(
          'type',
          'done',
          'total',
          'unit',
          'name',
          'value',
          'labels',
          'message',
          'step',
          'kind',
        ),
        fc.jsonValue(),
      ),
      (raw) => {
        const event = toEvent(raw)
        if (event !== null) t.equal(event.type, raw.type)
      },
    ),
  )
})

t.test('of progress that follows progress in one reading the last is taken, in its place', async (t) => {
  const dir = t.testdir()
  const progress = (done: number) => `{"type":"progress","done":${done}}\n`
  const beat = '{"type":"heartbeat"}\n'
  writeFileSync(`${dir}/events.jsonl`, progress(1) + progress(2) + beat + progress(3) + progress(4))
  const { follower, events } = follow(dir)
  follower.read()
  const seen = () => events.map((event) => (event.type === 'progress' ? event.done : event.type))
  t.strictSame(seen(), [2, 'heartbeat', 4])
  appendFileSync(`${dir}/events.jsonl`, progress(5))
  follower.read()
  follower.read()
  t.strictSame(seen(), [2, 'heartbeat', 4, 5])
  follower.close()
})

t.test('only so many faults are told of, and events between and after them are taken', async (t) => {
  const nonsense = 'nonsense\n'.repeat(1000)
  const dir = t.testdir({
    'events.jsonl': `${nonsense} \t{"type":"heartbeat"}\n${nonsense}{"type":"heartbeat"}\n`,
  })
  const { follower, events, faults } = follow(dir)
  follower.read()
  follower.close()
  t.equal(faults.length, 5)
  t.equal(events.length, 2)
})

t.test('an events file that became a link, a folder or is not there is not read', async (t) => {
  const dir = t.testdir({
    secret: '{"type":"heartbeat"}\n',
    link: {},
    folder: { 'events.jsonl': {} },
    none: {},
  })
  symlinkSync('../secret', `${dir}/link/events.jsonl`)
  for (const [name, fault] of [
    ['link', /is a symbolic link/],
    ['folder', /is not a regular file/],
  ] as const) {
    const { follower, events, faults } = follow(`${dir}/${name}`)
    follower.read()
    follower.close()
    t.strictSame(events, [])
    t.match(faults, [fault])
  }
  const { follower, events, faults } = follow(`${dir}/none`)
  follower.read()
  t.strictSame([events, faults], [[], []])
  writeFileSync(`${dir}/none/events.jsonl`, '{"type":"heartbeat"}\n')
  follower.read()
  follower.close()
  t.strictSame(events, [{ type: 'heartbeat' }])
})

t.test('a writer makes the folder on its first event, and each line has its time', async (t) => {
  const dir = t.testdir()
  const writer = new EventWriter(`${dir}/deep/folder`, { now: () => 0 })
  writer.append({ type: 'log', level: 'info', message: 'a\nb' })
  writer.append({ type: 'heartbeat' })
  writer.close()
  const { follower, events } = follow(`${dir}/deep/folder`)
  follower.read()
  follower.close()
  t.strictSame(events, [{ type: 'log', level: 'info', message: 'a\nb' }, { type: 'heartbeat' }])
})
