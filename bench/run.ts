/** `npm run bench`: runs the scenarios one after the other and says which numbers are as they should be. */
import { parseArgs } from 'node:util'
import { buildGateway } from './gateway-under-test.ts'
import { conditions, settleSelf } from './measured-process.ts'
import { formatRow, type Row } from './rows.ts'
import { runScenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'

const usage = `npm run bench -- [options]

  --only <pattern>  only scenarios whose name contains this: ${scenarios.map(({ name }) => name).join(', ')}
  --quick           shorter runs: for a look, not for a claim
  --json            print one JSON object {rows: [{name, value, unit, threshold, ok}]}
  --help            this text

Exit code 1 when a number is not as it should be.
`

const thorough = { rounds: 5, roundMs: 3000, warmUpMs: 4000 }
const quick = { rounds: 3, roundMs: 1500, warmUpMs: 2500 }

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const chosen = scenarios.filter(({ name }) => name.includes(values.only ?? ''))
if (chosen.length === 0) {
  process.stderr.write(`no scenario is called like this\n\n${usage}`)
  process.exit(2)
}

buildGateway()
settleSelf()
if (!values.json) process.stdout.write(`${conditions}\n\n`)
const rows: Row[] = []
for (const scenario of chosen) {
  const measured = await runScenario(scenario, values.quick ? quick : thorough, values.quick).catch((error: unknown) => [
    failed(scenario.name, error),
  ])
  rows.push(...measured)
  if (!values.json) for (const row of measured) process.stdout.write(`${formatRow(row)}\n`)
}
if (values.json) process.stdout.write(`${JSON.stringify({ rows: rows.map(({ detail: _detail, ...row }) => row) })}\n`)
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)

function failed(name: string, error: unknown): Row {
  const detail = error instanceof Error ? error.message : String(error)
  return { name, value: null, unit: '', threshold: 'runs', ok: false, detail }
}
