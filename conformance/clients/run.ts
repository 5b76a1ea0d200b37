/** `npm run clients`: real coding agents from npm, driven through a gateway; says which of them are governed without being broken. */
import { parseArgs } from 'node:util'
import type { Client } from './client.ts'
import { clients } from './clients.ts'
import { drive } from './driving.ts'
import { cacheFolder, install } from './installing.ts'
import type { Ran } from './ran.ts'
import { scenarios, type Scenario } from './scenarios.ts'
import { upstreamNames, type UpstreamName } from './upstreams.ts'

const usage = `npm run clients -- [options]

  --only <name>      only clients whose name contains this: ${clients.map(({ name }) => name).join(', ')}
  --scenario <name>  only scenarios whose name contains this: ${scenarios.map(({ name }) => name).join(', ')}
  --upstream <name>  only models that speak this: ${upstreamNames.join(', ')} (default: the client's own dialect, and
                     one scenario on each of the others)
  --dir <folder>     where clients are installed (default ${cacheFolder()})
  --json             print one JSON object {rows: [{client, version, scenario, upstream, ok, detail}]}
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
  readonly upstream: UpstreamName
  readonly ok: boolean
  readonly detail: string
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    scenario: { type: 'string', default: '' },
    upstream: { type: 'string' },
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
const chosenUpstreams = upstreamNames.filter((name) => values.upstream === undefined || name === values.upstream)
if (chosenClients.length === 0 || chosenScenarios.length === 0 || chosenUpstreams.length === 0) {
  process.stderr.write(`no client, scenario or upstream is called like this\n\n${usage}`)
  process.exit(2)
}

const rows: Row[] = []
for (const client of chosenClients) {
  const command = await install(client, values.dir).catch((error: unknown) => new Error(`it cannot be installed: ${messageOf(error)}`))
  for (const scenario of chosenScenarios.filter(({ fits }) => fits(client))) {
    for (const upstream of chosenUpstreams.filter((name) => isRun(client, scenario, name))) {
      const run = { client, scenario, upstream }
      const row = command instanceof Error ? rowOf(run, false, command.message) : await rowFor(run, command)
      rows.push(row)
      if (!values.json) process.stdout.write(`${printed(row)}\n`)
    }
  }
}
if (values.json) process.stdout.write(`${JSON.stringify({ rows }, undefined, 2)}\n`)
process.exit(rows.every(({ ok }) => ok) ? 0 : 1)

interface Run {
  readonly client: Client
  readonly scenario: Scenario
  readonly upstream: UpstreamName
}

/** What another dialect does to a client shows in a day of work; its own is run with everything. */
function isRun({ governed, speaks }: Client, { name }: Scenario, upstream: UpstreamName): boolean {
  if (upstream === 'own') return true
  return governed === 'models-and-tools' && upstream !== speaks && (values.upstream !== undefined || name === 'day')
}

async function rowFor(run: Run, command: string): Promise<Row> {
  const { client, scenario, upstream } = run
  try {
    const ran = await drive(client, scenario, command, upstream)
    const missed = scenario.expected.filter(({ holds }) => !holds(ran)).map(({ what }) => what)
    if (missed.length > 0 && values.verbose) process.stderr.write(traceOf(ran))
    return missed.length === 0
      ? rowOf(run, true, scenario.says)
      : rowOf(run, false, `${missed.join('; ')}${reasons(ran, scenario.policy(client))}`)
  } catch (error) {
    return rowOf(run, false, messageOf(error))
  }
}

function rowOf({ client: { name, version, governed }, scenario, upstream }: Run, ok: boolean, detail: string): Row {
  return { client: name, version, governed, scenario: scenario.name, upstream, ok, detail: ok ? detail : `not ok: ${detail}` }
}

function reasons({ refused, undescribed }: Ran, { packs }: ReturnType<Scenario['policy']>): string {
  const refusals = refused.length === 0 ? '' : ` (refused: ${refused.map(({ subject, reason }) => `${subject}, ${reason}`).join(' | ')})`
  return packs === undefined || undescribed.length === 0 ? refusals : `${refusals} (no pack has: ${undescribed.join(', ')})`
}

function traceOf({ code, output, results, turn }: Ran): string {
  return `exit code ${code}\n${output.slice(-4000)}\nresults the model was shown:\n${results.map((result) => `  ${result.slice(0, 400)}\n`).join('')}${turn}\n`
}

function printed({ client, version, scenario, upstream, ok, detail }: Row): string {
  return `${ok ? 'ok    ' : 'NOT OK'}  ${client.padEnd(12)} ${version.padEnd(9)} ${scenario.padEnd(11)} ${upstream.padEnd(16)} ${detail}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
