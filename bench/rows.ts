/** One measured number and what is expected of it; how rows are printed. */

export interface Row {
  readonly name: string
  /** null when it was not measured. */
  readonly value: number | null
  readonly unit: string
  /** As a sentence part, for example `<= 2`; null for a number that is only told. */
  readonly threshold: string | null
  readonly ok: boolean
  /** Why there is no number. */
  readonly skipped?: string
  /** What the number was made from. */
  readonly detail?: string
}

export function atMost(name: string, value: number, limit: number, unit: string, detail?: string): Row {
  return row(name, value, unit, `<= ${limit}`, value <= limit, detail)
}

export function atLeast(name: string, value: number, limit: number, unit: string, detail?: string): Row {
  return row(name, value, unit, `>= ${limit}`, value >= limit, detail)
}

/** A number without an expectation. */
export function told(name: string, value: number, unit: string, detail?: string): Row {
  return row(name, value, unit, null, true, detail)
}

export function skipped(name: string, unit: string, why: string): Row {
  return { name, value: null, unit, threshold: null, ok: true, skipped: why }
}

// NaN fails every comparison, so a number that could not be computed is never ok.
function row(name: string, value: number, unit: string, threshold: string | null, ok: boolean, detail: string | undefined): Row {
  return { name, value: Number(value.toPrecision(4)), unit, threshold, ok, ...(detail === undefined ? {} : { detail }) }
}

export function formatRow(one: Row): string {
  const value = one.value === null ? '-' : String(one.value)
  const state = one.skipped !== undefined ? 'skipped' : one.threshold === null ? '' : one.ok ? 'ok' : 'NOT OK'
  const note = one.skipped ?? one.detail ?? ''
  return `${one.name.padEnd(58)} ${value.padStart(9)} ${one.unit.padEnd(12)} ${(one.threshold ?? '').padEnd(8)} ${state.padEnd(8)} ${note}`.trimEnd()
}
