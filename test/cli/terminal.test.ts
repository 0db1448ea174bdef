import t from 'tap'
import { processTerminal, type Signal } from '../../cli/terminal.ts'

const listeners = () => ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name))

t.test('however many hear signals, the process listens once, and not at all in the end', async (t) => {
  const before = listeners()
  const heard: [number, Signal][] = []
  const { onSignal } = processTerminal()
  const silences = Array.from({ length: 20 }, (_, number) =>
    onSignal((signal) => {
      heard.push([number, signal])
    }),
  )
  t.strictSame(
    listeners(),
    before.map((count) => count + 1),
  )
  silences[0]?.()
  silences[0]?.()
  process.emit('SIGINT', 'SIGINT')
  process.emit('SIGHUP', 'SIGHUP')
  t.strictSame(heard.slice(0, 2), [
    [1, 'interrupt'],
    [2, 'interrupt'],
  ])
  t.equal(heard.length, 38)
  t.strictSame(heard.at(-1), [19, 'terminate'])
  for (const silence of silences) silence()
  t.strictSame(listeners(), before)
})

t.test('who stops hearing while a signal is told does not keep others from hearing it', async (t) => {
  const { onSignal } = processTerminal()
  let heard = 0
  const first = onSignal(() => first())
  const second = onSignal(() => {
    heard += 1
  })
  process.emit('SIGTERM', 'SIGTERM')
  t.equal(heard, 1)
  second()
})
