/** Counts blocks of a text that stood there before. Knows nothing of what a block is. */

/** How many of the blocks came before, and their characters. */
export function duplicatesIn(blocks: readonly string[]): {
  readonly count: number
  readonly characters: number
} {
  const seen = new Set<string>()
  let count = 0
  let characters = 0
  for (const block of blocks) {
    if (seen.has(block)) {
      count++
      characters += block.length
    } else seen.add(block)
  }
  return { count, characters }
}
