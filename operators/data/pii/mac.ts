/** Hardware addresses (IEEE 802 EUI-48): six pairs with `:` or `-`, or three groups of four with `.`. */
import type { Detector } from './span.ts'
import { score } from './span.ts'

const form =
  /(?<![\w:.-])(?:[\da-f]{2}:[\da-f]{2}(?::[\da-f]{2}){4}|[\da-f]{2}-[\da-f]{2}(?:-[\da-f]{2}){4}|[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4})(?!\w|[:.-]\w)/gi

/** Finds MAC_ADDRESS. All zeros and all ones (broadcast) name no device. */
export const mac: Detector = {
  types: [
    {
      name: 'MAC_ADDRESS',
      about: 'hardware addresses in the colon, dash and dotted forms, but broadcast and zero',
      decidedBy: 'structure',
      byDefault: true,
    },
  ],
  find(text, found) {
    for (const match of text.matchAll(form)) {
      const hex = match[0].replace(/[:.-]/g, '').toLowerCase()
      if (hex !== '000000000000' && hex !== 'ffffffffffff') {
        found(match.index, match.index + match[0].length, 'MAC_ADDRESS', score.strong)
      }
    }
  },
}
