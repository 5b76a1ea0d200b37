/** Check digits of numbers that identify. Each takes digits alone, or digits and capital letters. */

/** ISO/IEC 7812-1, annex B (Luhn). */
export function hasLuhn(digits: string): boolean {
  let sum = 0
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]) * (place % 2 === 0 ? 1 : 2)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

/** ISO 13616: the remainder of the rearranged number by 97 is 1. Letters are 10 to 35. */
export function hasIbanCheck(iban: string): boolean {
  return remainder(Array.from(iban.slice(4) + iban.slice(0, 4), (character) => Number.parseInt(character, 36)).join(''), 97) === 1
}

/** The remainder of a number of any length. */
export function remainder(digits: string, by: number): number {
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % by
  return rest
}

/** The sum of the digits, each with its weight. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, place) => sum + weight * Number(digits[place] ?? 0), 0)
}

/** ISO/IEC 7064, MOD 11,10. */
export function hasMod1110(digits: string): boolean {
  let product = 10
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === Number(digits.at(-1))
}

const dihedral = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const permuted = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258']

/** Verhoeff's check digit. */
export function hasVerhoeff(digits: string): boolean {
  let check = 0
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place])
    check = Number(dihedral[check]?.[Number(permuted[place % 8]?.[digit])])
  }
  return check === 0
}
