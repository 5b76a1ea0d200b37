/** `npm run conformance`: the published suite of the protocol, against this gateway in every lane. */
import { parseArgs } from 'node:util'
import { lanes, runLane } from './lanes.ts'
import type { Excluded, Verdict } from './verdict.ts'

const usage = `npm run conformance -- [options]

  --lane <name>  only lanes whose name contains this:
${lanes.map(({ name, what }) => `                   ${name.padEnd(24)} ${what}`).join('\n')}
  --json         print {lanes: [{name, passed, total, excluded: [{scenario, check, reason}]}]}
  --help         this text

Exit code 1 when a check fails that conformance/suite/expected-failures/<lane>.yaml does not list, or one that it lists
passes.
`

const { values } = parseArgs({
  options: {
    lane: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const chosen = lanes.filter(({ name }) => name.includes(values.lane))
if (chosen.length === 0) {
  process.stderr.write(`no lane is called like this: ${values.lane}\n\n${usage}`)
  process.exit(2)
}

interface Row {
  readonly name: string
  readonly passed: number
  readonly total: number
  readonly excluded: readonly Excluded[]
}

const rows: Row[] = []
let failed = false
for (const lane of chosen) {
  process.stderr.write(`${lane.name}: ${lane.what} ...\n`)
  const { faults, ...verdict } = await runLane(lane).catch(didNotRun)
  rows.push({ name: lane.name, ...verdict })
  failed ||= faults.length > 0
  for (const fault of faults) process.stderr.write(`  not as expected: ${fault}\n`)
  const line = `${lane.name.padEnd(24)} ${verdict.passed}/${verdict.total} scenarios, ${verdict.excluded.length} expected failures of checks`
  const result = faults.length === 0 ? 'ok    ' : 'NOT OK'
  ;(values.json ? process.stderr : process.stdout).write(`${result}  ${line}\n`)
}
if (values.json) process.stdout.write(`${JSON.stringify({ lanes: rows }, undefined, 2)}\n`)
process.exit(failed ? 1 : 0)

/** A lane that cannot run has failed; the others are run all the same. */
function didNotRun(error: unknown): Verdict {
  return { passed: 0, total: 0, excluded: [], faults: [`the lane did not run: ${error instanceof Error ? error.message : String(error)}`] }
}
