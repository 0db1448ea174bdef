/** The words of the detectors: a span, a detector, and what a detector is sure of. Knows no single type. */

/** A found value: UTF-16 offsets into the text that was searched, end exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly type: string
  /** 0 to 1; see {@link score}. A masker takes what reaches its threshold. */
  readonly score: number
}

/** Where a detector puts what it found. */
export type Found = (start: number, end: number, type: string, score: number) => void

/** Finds values of a few types in a text. Keeps nothing between calls; time grows linearly with the text. */
export interface Detector {
  readonly types: readonly PiiType[]
  /** `wanted` tells whether a type was asked for, so that a detector of many types does only what is needed. */
  find(text: string, found: Found, wanted: (type: string) => boolean): void
}

/** A type as the documentation lists it. */
export interface PiiType {
  readonly name: string
  /** One line: what is matched, and what decides. */
  readonly about: string
  /** `checksum` and `structure` decide alone; `context` needs a word such as "passport" close by. */
  readonly decidedBy: 'checksum' | 'structure' | 'context'
  /** False: only found when it is asked for by name. */
  readonly byDefault: boolean
}

/** How sure a match is. The threshold of the masker is {@link threshold} unless its input says otherwise. */
export const score = {
  /** A checksum holds, or the form belongs to nothing else. */
  proven: 0.95,
  /** The form alone, rarely anything else. */
  strong: 0.85,
  /** The form alone, sometimes something else. */
  likely: 0.6,
  /** Could well be something else: only with a word of its kind close by. */
  weak: 0.3,
  /** Any number of that length. */
  faint: 0.1,
} as const

/** Spans below this score are not masked by default. */
export const threshold = 0.5
