/** Draws the scale curve as SVG: two panels with logarithmic axes. Pure. */

/** A line of a panel. */
export interface Series {
  readonly name: string
  readonly points: readonly { readonly at: number; readonly value: number }[]
}

const [width, height] = [360, 260]
const margin = { left: 52, right: 34, top: 34, bottom: 40 }
const colors = ['#1f6feb', '#bf5700']

/** The picture, 760 by 270 pixels. Values and sizes are positive. */
export function drawScale(time: readonly Series[], memory: readonly Series[]): string {
  const panels = [
    panel('time per task, µs', time),
    panel('memory per task, KiB (peak of the process)', memory),
  ]
  const placed = panels.map(
    (content, at) => `<g transform="translate(${at * (width + 30) + 5} 5)">${content}</g>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="270" viewBox="0 0 760 270" font-family="sans-serif" font-size="11">
<title>What a task costs in time and memory, by the number of tasks in one run</title>
<rect width="760" height="270" fill="#fff"/>
${placed.join('\n')}
</svg>
`
}

function panel(title: string, series: readonly Series[]): string {
  const points = series.flatMap((one) => one.points)
  const across = axis(
    points.map(({ at }) => at),
    margin.left,
    width - margin.right,
  )
  const up = axis(
    points.map(({ value }) => value),
    height - margin.bottom,
    margin.top,
  )
  const grid = up.ticks.map((tick) => {
    const y = up.place(tick).toFixed(1)
    const line = `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}" stroke="#ddd"/>`
    return `${line}<text x="${margin.left - 6}" y="${y}" dy="4" text-anchor="end">${label(tick)}</text>`
  })
  const sizes = across.ticks.map(
    (tick) =>
      `<text x="${across.place(tick).toFixed(1)}" y="${height - margin.bottom + 16}" text-anchor="middle">${label(tick)}</text>`,
  )
  const lines = series.map(({ name, points }, at) => {
    const color = colors[at % colors.length]
    const path = points.map(({ at, value }) => `${across.place(at).toFixed(1)},${up.place(value).toFixed(1)}`)
    const dots = path.map((place) => {
      const [x, y] = place.split(',')
      return `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`
    })
    const legend = `<text x="${width - margin.right}" y="${margin.top + 12 + at * 14}" fill="${color}" text-anchor="end">${name}</text>`
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join('')}${legend}`
  })
  const caption = `<text x="${margin.left}" y="16" font-weight="bold">${title}</text><text x="${(margin.left + width) / 2}" y="${height - 6}" text-anchor="middle">tasks in one run</text>`
  return [caption, ...grid, ...sizes, ...lines].join('\n')
}

/** A logarithmic axis over whole powers of ten, from one place to another. */
function axis(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)),
    place: (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  }
}

function label(value: number): string {
  return value >= 1 ? value.toLocaleString('en-US') : String(value)
}
