/** A real process gives its slot of a pool to a task of higher priority, keeps its progress, and goes on later. */
import t from 'tap'
import { json } from '../support/command-line.ts'

const pipeline = `
dagctl: 1
pipeline: shared
defaults: { timeout: 1m }
tasks:
  low:
    pool: gpu
    preemptible: true
    run: |
      if [ -e saved ]; then echo '{"resumed": true}' > "$DAGCTL_OUTPUT"; exit 0; fi
      trap 'touch saved; exit 1' TERM
      touch began
      while :; do sleep 0.05; done
  begun: { uses: FileSensor, with: { pattern: began, every: 50ms } }
  high: { needs: [begun], pool: gpu, priority: 1, run: "true" }
`

t.test('a preempted process is asked to leave, and its task goes on in the same try', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline, 'dagctl.yaml': 'pools: { gpu: { slots: 1 } }\n' })
  const { exit, document } = await json(folder, ['run', 'p.yaml', '--attempts'])
  t.equal(exit, 0)
  const [low, , high] = document.tasks
  t.match(low, { state: 'succeeded', attempts: 2, tries: 1, outputs: { resumed: true } })
  t.match(low.history, [
    { state: 'released', failure: { kind: 'preempted' } },
    { state: 'succeeded', try: 1 },
  ])
  t.ok(low.history[1].startedAt >= high.endedAt, 'after the task that took its slot')
})
