/** `npm run clients`: real coding agents from npm, driven through a gateway; says which of them are governed without being broken. */
import { parseArgs } from 'node:util'
import type { Client } from './client.ts'
import { clients } from './clients.ts'
import { drive } from './driving.ts'
import { cacheFolder, install } from './installing.ts'
import type { Ran } from './ran.ts'
import { scenarios, type Scenario } from './scenarios.ts'

const usage = `npm run clients -- [options]

  --only <name>      only clients whose name contains this: ${clients.map(({ name }) => name).join(', ')}
  --scenario <name>  only scenarios whose name contains this: ${scenarios.map(({ name }) => name).join(', ')}
  --dir <folder>     where clients are installed (default ${cacheFolder()})
  --json             print one JSON object {rows: [{client, version, scenario, ok, detail}]}
  --verbose          print what a client said when its row is not ok
  --help             this text

Clients are fetched from npm once; after that everything runs offline.
Exit code 1 when a row is not ok.
`

interface Row {
  readonly client: string
  readonly version: string
  readonly governed: Client['governed']
  readonly scenario: string
  readonly ok: boolean
  readonly detail: string
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    scenario: { type: 'string', default: '' },
    dir: { type: 'string', default: cacheFolder() },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const chosenClients = clients.filter(({ name }) => name.includes(values.only))
const chosenScenarios = scenarios.filter(({ name }) => name.includes(values.scenario))
if (chosenClients.length === 0 || chosenScenarios.length === 0) {
  process.stderr.write(`no client or no scenario is called like this\n\n${usage}`)
  process.exit(2)
}

const rows: Row[] = []
for (const client of chosenClients) {
  const command = await install(client, values.dir).catch((error: unknown) => new Error(`it cannot be installed: ${messageOf(error)}`))
  for (const scenario of chosenScenarios.filter(({ fits }) => fits(client))) {
    const row = command instanceof Error ? rowOf(client, scenario, false, command.message) : await rowFor(client, scenario, command)
    rows.push(row)
    if (!values.json) process.stdout.write(`${printed(row)}\n`)
  }
}
if (values.json) process.stdout.write(`${JSON.stringify({ rows }, undefined, 2)}\n`)
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)

async function rowFor(client: Client, scenario: Scenario, command: string): Promise<Row> {
  try {
    const ran = await drive(client, scenario, command)
    const missed = scenario.expected.filter(({ holds }) => !holds(ran)).map(({ what }) => what)
    if (missed.length > 0 && values.verbose) process.stderr.write(traceOf(ran))
    return missed.length === 0
      ? rowOf(client, scenario, true, scenario.says)
      : rowOf(client, scenario, false, `${missed.join('; ')}${reasons(ran, scenario.policy(client))}`)
  } catch (error) {
    return rowOf(client, scenario, false, messageOf(error))
  }
}

function rowOf({ name, version, governed }: Client, { name: scenario }: Scenario, ok: boolean, detail: string): Row {
  return { client: name, version, governed, scenario, ok, detail: ok ? detail : `not ok: ${detail}` }
}

function reasons({ refused, undescribed }: Ran, { packs }: ReturnType<Scenario['policy']>): string {
  const refusals = refused.length === 0 ? '' : ` (refused: ${refused.map(({ subject, reason }) => `${subject}, ${reason}`).join(' | ')})`
  return packs === undefined || undescribed.length === 0 ? refusals : `${refusals} (no pack has: ${undescribed.join(', ')})`
}

function traceOf({ code, output, results, turn }: Ran): string {
  return `exit code ${code}\n${output.slice(-4000)}\nresults the model was shown:\n${results.map((result) => `  ${result.slice(0, 400)}\n`).join('')}${turn}\n`
}

function printed({ client, version, scenario, ok, detail }: Row): string {
  return `${ok ? 'ok    ' : 'NOT OK'}  ${client.padEnd(12)} ${version.padEnd(9)} ${scenario.padEnd(11)} ${detail}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
