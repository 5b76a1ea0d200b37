/** What a run came to, a line a package; as JSON in `$REGISTRIES_JSON` too, where that names a file. */
import { writeFileSync } from 'node:fs'

export interface Told {
  readonly package: string
  /** With its version, once it is installed. */
  readonly version?: string
  readonly tools?: number
  readonly seconds?: number
  readonly passed: boolean
}

export function tellSummary(told: readonly Told[]): void {
  const lines = told.map(({ package: reference, version = reference, tools, seconds, passed }) =>
    [
      passed ? 'ok    ' : 'FAILED',
      version,
      ...(tools === undefined ? [] : [`${tools} tools`]),
      ...(seconds === undefined ? [] : [`${seconds.toFixed(1)} s`]),
    ].join('  '),
  )
  console.log(`\n${lines.join('\n')}\n${told.filter(({ passed }) => passed).length} of ${told.length} passed`)
  const file = process.env['REGISTRIES_JSON']
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(told, undefined, 2)}\n`)
}
