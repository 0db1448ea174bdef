/** Packs documents of tokens into rows of one length, and keeps where each begins. Pure: knows nothing of files or text. */

/** A row of `contextLength` tokens, padded at its end. */
export interface Row {
  readonly tokens: Uint32Array
  /** Tokens before the padding. */
  readonly length: number
  /** Where each document, or piece of one, begins in the row; attention need not cross these. */
  readonly starts: readonly number[]
  /** Which document each piece is of: its number among all that were packed, from 0. */
  readonly documents: readonly number[]
}

/**
 * - `concat`: documents follow each other and are cut at the end of a row: no padding but in the last row.
 * - `best-fit`: a document is cut only when it is longer than a row; it goes where it leaves the least room
 *   (Ding et al. 2024, arXiv:2404.10830, here in one pass over the stream with a limited number of open rows).
 * - `none`: each document begins a row of its own.
 */
export type Packing = 'concat' | 'best-fit' | 'none'

/** What a packer still holds, as data: the rows that are not full. */
export interface OpenRows {
  readonly rows: readonly {
    readonly length: number
    readonly starts: readonly number[]
    readonly documents: readonly number[]
  }[]
  readonly documents: number
  /** The tokens of all these rows behind each other, without padding. */
  readonly tokens: Uint32Array
}

/** Tokens in open rows at most: 64 MiB. */
const openTokens = 2 ** 24
/** More open rows find hardly better places. */
const mostOpen = 1024

/** A row that still has room. */
class OpenRow implements Row {
  readonly tokens: Uint32Array
  length = 0
  readonly starts: number[] = []
  readonly documents: number[] = []

  constructor(contextLength: number, pad: number) {
    this.tokens = new Uint32Array(contextLength).fill(pad)
  }

  get room(): number {
    return this.tokens.length - this.length
  }

  add(document: number, piece: ArrayLike<number>): void {
    this.starts.push(this.length)
    this.documents.push(document)
    this.tokens.set(piece, this.length)
    this.length += piece.length
  }
}

/** Packs documents in the order in which they come; `take` gives the rows that are done. Equal documents make equal rows. */
export class Packer {
  readonly #contextLength: number
  readonly #pad: number
  readonly #packing: Packing
  readonly #open: OpenRow[] = []
  readonly #mostOpen: number
  #done: Row[] = []
  #documents = 0

  constructor(options: { readonly contextLength: number; readonly pad: number; readonly packing: Packing }) {
    this.#contextLength = options.contextLength
    this.#pad = options.pad
    this.#packing = options.packing
    const several = Math.max(1, Math.min(mostOpen, Math.floor(openTokens / options.contextLength)))
    this.#mostOpen = options.packing === 'best-fit' ? several : 1
  }

  /** Adds a document, which is not empty. */
  add(tokens: readonly number[]): void {
    const document = this.#documents
    this.#documents += 1
    if (this.#packing === 'none') this.#close(0)
    for (let at = 0; at < tokens.length; ) {
      const piece = tokens.slice(at, at + this.#sizeOf(tokens.length - at))
      this.#place(document, piece)
      at += piece.length
    }
  }

  /** The rows that are done since the last call. */
  take(): readonly Row[] {
    const done = this.#done
    this.#done = []
    return done
  }

  /** Ends all rows. */
  end(): void {
    while (this.#open.length > 0) this.#close(0)
  }

  /** What a checkpoint needs, after `take`. */
  save(): OpenRows {
    const tokens = new Uint32Array(this.#open.reduce((sum, row) => sum + row.length, 0))
    let at = 0
    for (const row of this.#open) {
      tokens.set(row.tokens.subarray(0, row.length), at)
      at += row.length
    }
    const rows = this.#open.map(({ length, starts, documents }) => ({
      length,
      starts: [...starts],
      documents: [...documents],
    }))
    return { rows, documents: this.#documents, tokens }
  }

  /** Goes on from what another packer saved. */
  restore({ rows, documents, tokens }: OpenRows): void {
    this.#documents = documents
    let at = 0
    for (const saved of rows) {
      const row = new OpenRow(this.#contextLength, this.#pad)
      row.tokens.set(tokens.subarray(at, at + saved.length))
      row.length = saved.length
      row.starts.push(...saved.starts)
      row.documents.push(...saved.documents)
      this.#open.push(row)
      at += saved.length
    }
  }

  /** How many of `left` tokens go into one row together. */
  #sizeOf(left: number): number {
    const room =
      this.#packing === 'concat' ? (this.#open[0]?.room ?? this.#contextLength) : this.#contextLength
    return Math.min(left, room)
  }

  #place(document: number, piece: readonly number[]): void {
    if (piece.length === this.#contextLength) {
      const row = new OpenRow(this.#contextLength, this.#pad)
      row.add(document, piece)
      this.#done.push(row)
      return
    }
    let index = this.#bestFor(piece.length)
    if (index < 0) {
      if (this.#open.length === this.#mostOpen) this.#close(this.#fullest())
      index = this.#open.push(new OpenRow(this.#contextLength, this.#pad)) - 1
    }
    const row = this.#open[index] as OpenRow
    row.add(document, piece)
    if (row.room === 0) this.#close(index)
  }

  /** The open row with the least room that suffices, the oldest among equals; -1 where there is none. */
  #bestFor(length: number): number {
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (const [index, { room }] of this.#open.entries()) {
      if (room >= length && room < least) {
        best = index
        least = room
      }
    }
    return best
  }

  #fullest(): number {
    return this.#open.reduce(
      (best, row, index) => (row.room < (this.#open[best] as OpenRow).room ? index : best),
      0,
    )
  }

  #close(index: number): void {
    this.#done.push(...this.#open.splice(index, 1))
  }
}
