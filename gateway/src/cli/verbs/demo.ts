/** `turnward demo`: one governed turn, offline, without any key, through the public endpoints. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { DecisionRecord } from '@turnward/contract/decision'
import { readRecords } from '../../audit/read.ts'
import { formatTurnTree } from '../../audit/format-tree.ts'
import { turnTree } from '../../audit/tree.ts'
import { verifyLog } from '../../audit/verify.ts'
import { TurnwardError } from '../../core/error.ts'
import { createLogger } from '../../telemetry/logger.ts'
import { runAgent } from '../demo/agent.ts'
import { identityText, runIdentityDemo, type IdentityDemo } from '../demo/identity/run-identity.ts'
import { countModelCalls, demoToolCalls, type DemoReport } from '../demo/report.ts'
import { prepareSandbox } from '../demo/sandbox.ts'
import { makeWorkspace, type Workspace } from '../demo/workspace.ts'
import { openGateway, type Gateway } from '../gateway.ts'
import { demoAccount, type DemoAccount } from '../demo/demo-account.ts'
import { fail, print } from '../output.ts'
import { jsonOption, logLevelOf } from '../shared-options.ts'

interface DemoOptions {
  readonly once?: boolean
  readonly identity?: boolean
  readonly json?: boolean
  readonly port: string
}

const task = 'Summarise my inbox and mail the summary to me.'

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('run one governed turn, offline and without keys, and stay up')
    .option('--once', 'stop after the turn')
    .option('--identity', 'two people, one agent, a ticket system that wants to know whose ticket it is')
    .option('--port <port>', 'port to listen on; 0 picks a free one', '4100')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward demo\n  $ turnward demo --once --json\n  $ turnward demo --identity')
    .action(demo)
}

async function demo(options: DemoOptions): Promise<void> {
  if (options.identity === true) return demoOfIdentity(options)
  const say = (line: string): void => {
    if (options.json !== true) process.stdout.write(`${line}\n`)
  }
  const logger = createLogger({ level: logLevelOf(process.env.TURNWARD_LOG) ?? 'error' })
  let workspace: Workspace | undefined
  let gateway: Gateway | undefined
  try {
    const sandbox = await prepareSandbox((line) => process.stderr.write(`${line}\n`))
    workspace = await makeWorkspace({ sandboxed: sandbox.sandboxed, port: options.once === true ? 0 : Number(options.port) })
    say('Starting the gateway, a scripted model and MCP servers (offline, no keys) …')
    gateway = await openGateway({ configPath: workspace.configPath, env: workspace.env, logger, makeRunners: sandbox.makeRunners })
    say(`Task of the agent: "${task}"\n`)
    const run = await runAgent(gateway.url, workspace.key, task)
    const records = await readTurn(workspace, run.turn)
    const { records: total, ok } = await verifyLog({ kind: 'sqlite', dataDir: workspace.dataDir })
    const toolCalls = demoToolCalls(records)
    const report: DemoReport = {
      turn: run.turn,
      session: run.session,
      modelCalls: countModelCalls(records),
      toolCalls,
      refused: toolCalls.filter((call) => call.action === 'refuse').length,
      completed: run.completed && (await workspace.sent()).some((mail) => mail.to === 'mara@acme.example'),
      audit: { records: total, verified: ok },
    }
    print(options, report, `${formatTurnTree(turnTree(records))}\n${closingText(report, run.answer, await workspace.sent())}`)
    if (options.once === true) return
    say(nextSteps(gateway.url, workspace, run.turn, await demoAccount(gateway.services)))
    await untilInterrupted()
  } catch (error) {
    fail(options, error)
  } finally {
    await gateway?.close()
    await workspace?.remove()
  }
}

async function demoOfIdentity(options: DemoOptions): Promise<void> {
  const logger = createLogger({ level: logLevelOf(process.env.TURNWARD_LOG) ?? 'error' })
  let running: IdentityDemo | undefined
  try {
    const { makeRunners } = await prepareSandbox((line) => process.stderr.write(`${line}\n`))
    const port = options.once === true ? 0 : Number(options.port)
    running = await runIdentityDemo({ port, logger, makeRunners, readTurn: (dataDir, turn) => readTurn({ dataDir }, turn) })
    const trees = running.turns.map((records) => formatTurnTree(turnTree(records)))
    print(options, running.report, `${trees.join('\n')}\n${identityText(running.report)}`)
    if (options.once === true) return
    if (options.json !== true) process.stdout.write(identitySteps(running))
    await untilInterrupted()
  } catch (error) {
    fail(options, error)
  } finally {
    await running?.close()
  }
}

function identitySteps({ url, dataDir, report }: IdentityDemo): string {
  return `
Still running at ${url}.

Try:
  npx turnward turns show ${report.runs.at(-1)?.turn ?? 'last'} --data-dir ${dataDir}

Ctrl-C stops the demo and removes its data. How it is set up: docs/identity/README.md
`
}

/** The log is written in groups: waits until every decision of the turn that ran has its outcome on disk. */
async function readTurn(workspace: Pick<Workspace, 'dataDir'>, turn: string): Promise<DecisionRecord[]> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const records = (await readRecords({ kind: 'sqlite', dataDir: workspace.dataDir }, { turn })).map((stored) => stored.record)
    const ended = new Set(records.filter((record) => record.type === 'outcome').map((record) => record.id))
    const ran = records.filter((record) => record.kind === 'model_call' || record.kind === 'tool_call')
    if (ran.length > 0 && ran.every((record) => ended.has(record.id))) return records
    await delay(50)
  }
  throw new TurnwardError('gateway.internal', { subject: turn, why: 'the turn is not complete in the decision log' })
}

function closingText(report: DemoReport, answer: string, sent: readonly { readonly to: string }[]): string {
  return [
    '',
    `The agent says: ${answer}`,
    `Mail that really left: ${sent.map((mail) => mail.to).join(', ') || 'none'}`,
    `${report.refused} call refused, the turn ${report.completed ? 'went on and finished its task' : 'did NOT finish its task'}.`,
    `Decision log: ${report.audit.records} records, ${report.audit.verified ? 'verified' : 'NOT VERIFIED'}.`,
  ].join('\n')
}

function nextSteps(url: string, workspace: Workspace, turn: string, { name, password }: DemoAccount): string {
  return `
See it in the console:
  ${url}/sign-in?return=/console/turns/${turn}
  account ${name}, password ${password}

Still running:
  model calls   ${url}/v1/chat/completions, ${url}/v1/messages
  MCP           ${url}/mcp/main
  metrics       ${url}/metrics
  key           ${workspace.key}

Try:
  curl ${url}/v1/chat/completions -H 'authorization: Bearer ${workspace.key}' -H 'content-type: application/json' \\
    -d '{"model":"scripted-demo","messages":[{"role":"user","content":"hello"}]}'
  TURNWARD_KEY=${workspace.key} npx turnward tools list --url ${url}
  npx turnward turns show ${turn} --data-dir ${workspace.dataDir}

Ctrl-C stops the demo and removes its data. Your own gateway: npx turnward init && npx turnward start`
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}
