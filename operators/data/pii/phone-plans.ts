/** The numbering plans of the world, from libphonenumber. The only file that loads that library, and only when it is needed. */

/** What the detector asks the plans. A number of any writing; without a region it must begin with `+`. */
export interface NumberingPlans {
  /** Whether the number is given to somebody's range in its plan. */
  isValid(number: string, region?: string): boolean
  /** Whether the number has a length that its plan allows. */
  isPossible(number: string): boolean
  /** Whether a two-letter region (ISO 3166) has a plan. */
  knows(region: string): boolean
}

/** Regions whose national numbers are recognised unless the input names others: English first, then large plans. */
export const defaultRegions = [
  'US',
  'GB',
  'CA',
  'AU',
  'IN',
  'DE',
  'FR',
  'IT',
  'ES',
  'NL',
  'BE',
  'CH',
  'AT',
  'SE',
  'DK',
  'PL',
  'BR',
  'MX',
  'JP',
  'CN',
  'IL',
] as const

/** Loads the plans (about 150 kB of data, once). */
export async function loadPlans(): Promise<NumberingPlans> {
  const { parsePhoneNumberFromString: parse, isSupportedCountry } = await import('libphonenumber-js/max')
  type Region = Parameters<typeof parse>[1]
  return {
    isValid: (number, region) =>
      parse(number, { defaultCountry: region, extract: false } as Region)?.isValid() ?? false,
    isPossible: (number) => parse(number, { extract: false } as Region)?.isPossible() ?? false,
    knows: isSupportedCountry,
  }
}
