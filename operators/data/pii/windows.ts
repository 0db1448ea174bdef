/** The parts of a text that hold enough digits to be searched for numbers. Knows no kind of number. */
import { isDigitCode } from './context.ts'

/** A part of a text, with how many digits it holds. */
export interface Window {
  readonly start: number
  readonly end: number
  readonly digits: number
}

/**
 * Parts of `text` around its digits: `reach` characters on both sides, parts that touch are one.
 * No number whose digits stand less than `reach` apart lies across two parts.
 */
export function digitWindows(text: string, reach = 24): Window[] {
  const windows: Window[] = []
  let first = -1
  let last = -1
  let digits = 0
  const close = () => {
    if (first >= 0)
      windows.push({
        start: Math.max(0, first - reach),
        end: Math.min(text.length, last + reach + 1),
        digits,
      })
  }
  for (let i = 0; i < text.length; i++) {
    if (!isDigitCode(text.charCodeAt(i))) continue
    if (first < 0 || i - last > 2 * reach) {
      close()
      first = i
      digits = 0
    }
    last = i
    digits++
  }
  close()
  return windows
}
