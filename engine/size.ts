/** Sizes as people write them, to bytes. Pure; which keys hold one is the schema's business. */

const prefixes = ['', 'k', 'm', 'g', 't', 'p']
const pattern = /^(\d+(?:\.\d+)?)([KkMGTP]?)(i?)B$/

/** Bytes of `80GiB` (powers of 1024, IEC 80000-13), `16GB` (powers of 1000), `512B`; null if it is no size. */
export function parseSize(text: string): number | null {
  const match = pattern.exec(text)
  if (!match) return null
  const [, number = '', prefix = '', binary = ''] = match
  if (binary !== '' && (prefix === '' || prefix === 'k')) return null
  const bytes = Math.round(
    Number(number) * (binary === '' ? 1000 : 1024) ** prefixes.indexOf(prefix.toLowerCase()),
  )
  return Number.isSafeInteger(bytes) ? bytes : null
}
