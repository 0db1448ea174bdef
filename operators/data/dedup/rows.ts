/** A growing table of 32-bit integers, in pages, so that growing copies nothing. Knows nothing of what the columns mean. */

const rowsPerPage = 4096

/** Rows of equal width, numbered from 0. */
export class Rows {
  readonly width: number
  readonly #pages: Int32Array[] = []
  #count = 0

  constructor(width: number) {
    this.width = width
  }

  get count(): number {
    return this.#count
  }

  /** A new row of zeros at the end, to be filled by the caller. */
  add(): Int32Array {
    if (this.#count % rowsPerPage === 0) this.#pages.push(new Int32Array(rowsPerPage * this.width))
    return this.row(this.#count++)
  }

  /** A row, not a copy of it. */
  row(index: number): Int32Array {
    const at = (index % rowsPerPage) * this.width
    return this.page(index).subarray(at, at + this.width)
  }

  /** The page that holds a row, for loops that must not make an object for each row: it stands at `offset(index)`. */
  page(index: number): Int32Array {
    return this.#pages[Math.floor(index / rowsPerPage)] as Int32Array
  }

  offset(index: number): number {
    return (index % rowsPerPage) * this.width
  }

  get(index: number, column: number): number {
    return this.page(index)[this.offset(index) + column] as number
  }
}
