/** How times are written: a number and its unit, `300ms`, `90s`, `5m`, `1h`, `2d`. */
import { z } from 'zod'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
export type DurationUnit = keyof typeof unitMs

/** Milliseconds of a duration as it is written. */
export function durationMs(text: string): number {
  const number = Number.parseInt(text, 10)
  return number * unitMs[text.slice(String(number).length) as DurationUnit]
}

/** `longest`: a duration itself, and what it is called. */
export function durationSchema(
  units: readonly [DurationUnit, ...DurationUnit[]],
  longest: { readonly is: string; readonly called: string },
) {
  const form = new RegExp(`^[1-9][0-9]{0,5}(?:${units.join('|')})$`)
  const samples = { ms: '`300ms`', s: '`90s`', m: '`5m`', h: '`1h`', d: '`2d`' }
  const [last = '', ...others] = units.map((unit) => samples[unit]).toReversed()
  return z
    .string()
    .regex(form, `is no duration: write it like ${others.toReversed().join(', ')} or ${last}`)
    .refine((text) => !form.test(text) || durationMs(text) <= durationMs(longest.is), { message: `is longer than ${longest.called}` })
}
