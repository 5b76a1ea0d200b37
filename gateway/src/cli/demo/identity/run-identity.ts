/**
 * `turnward demo --identity`: two people give the same task to the same agent, and each sees and does what is theirs. Nobody shows the
 * ticket system what the agent was given; one of the two may not close anything, whatever the model says.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { Logger } from '../../../core/logger.ts'
import type { Runners } from '../../../tools/runners/runners.ts'
import { openGateway } from '../../gateway.ts'
import { runAgent } from '../agent.ts'
import { demoToolCalls, type DemoToolCall } from '../report.ts'
import { makeIdentityWorkspace } from '../workspace.ts'
import { startCompanyIssuer } from './company-issuer.ts'
import { startTicketServer } from './ticket-server.ts'

export interface IdentityRun {
  readonly person: string
  readonly agent: string | null
  readonly issuer: string | null
  readonly turn: string
  /** The model's last words. */
  readonly answer: string
  readonly toolCalls: readonly (DemoToolCall & { readonly credential: string | null })[]
  /** What is left of the person's tickets. */
  readonly open: readonly string[]
}

export interface IdentityReport {
  readonly runs: readonly IdentityRun[]
  /** Whether the ticket server was shown a token that a caller had. */
  readonly passedOn: boolean
}

export interface IdentityDemo {
  readonly url: string
  readonly report: IdentityReport
  /** A record of each turn, oldest first. */
  readonly turns: readonly (readonly DecisionRecord[])[]
  readonly dataDir: string
  close(): Promise<void>
}

export interface IdentityDemoOptions {
  readonly port: number
  readonly logger: Logger
  readonly makeRunners: (protect: readonly string[]) => Runners
  readonly readTurn: (dataDir: string, turn: string) => Promise<DecisionRecord[]>
}

const agent = 'support-agent'
const task = 'Close my oldest ticket.'
const people = {
  'alice@acme.example': ['T-101 Printer on floor 2', 'T-107 New laptop'],
  'bob@acme.example': ['T-204 Access to the archive'],
} as const

export async function runIdentityDemo(options: IdentityDemoOptions): Promise<IdentityDemo> {
  const opened: { close(): unknown }[] = []
  const close = async (): Promise<void> => {
    for (const part of opened.reverse()) await part.close()
  }
  try {
    const issuer = await startCompanyIssuer()
    opened.push(issuer)
    const tickets = await startTicketServer((token) => issuer.verify(token, 'tickets'), people)
    opened.push(tickets)
    const workspace = await makeIdentityWorkspace({
      DEMO_PORT: String(options.port),
      DEMO_ISSUER: issuer.url,
      DEMO_CLIENT_SECRET: issuer.clientSecret,
      DEMO_TICKETS: tickets.url,
    })
    opened.push({ close: () => workspace.remove() })
    const { configPath, env, dataDir } = workspace
    const gateway = await openGateway({ configPath, env, logger: options.logger, makeRunners: options.makeRunners })
    opened.push(gateway)
    const tokens: string[] = []
    const turns: (readonly DecisionRecord[])[] = []
    const runs: IdentityRun[] = []
    for (const person of Object.keys(people)) {
      const token = await issuer.tokenOf(person, ['support'], agent)
      tokens.push(token)
      const { turn, answer } = await runAgent(gateway.url, token, task)
      const records = await options.readTurn(dataDir, turn)
      turns.push(records)
      runs.push({ ...whoCalled(records, person), turn, answer, toolCalls: withCredentials(records), open: tickets.openOf(person) })
    }
    const passedOn = tickets.shown.some((shown) => tokens.some((token) => shown.includes(token)))
    return { url: gateway.url, report: { runs, passedOn }, turns, dataDir, close }
  } catch (error) {
    await close()
    throw error
  }
}

function whoCalled([first]: readonly DecisionRecord[], person: string): Pick<IdentityRun, 'person' | 'agent' | 'issuer'> {
  return { person: first?.principal ?? person, agent: first?.actor ?? null, issuer: first?.issuer ?? null }
}

function withCredentials(records: readonly DecisionRecord[]): IdentityRun['toolCalls'] {
  const credentialOf = (tool: string): string | null =>
    records.find(({ kind, type, subject }) => kind === 'tool_call' && type === 'decision' && subject === tool)?.credential ?? null
  return demoToolCalls(records).map((call) => ({ ...call, credential: credentialOf(call.tool) }))
}

/** What has happened, for people. */
export function identityText({ runs, passedOn }: IdentityReport): string {
  const lines = runs.flatMap(({ person, agent: actor, issuer, toolCalls, answer, open }) => [
    `${person} via ${actor ?? 'no agent'}, says ${issuer ?? 'nobody'}:`,
    ...toolCalls.map(({ tool, action, rule, credential }) =>
      action === 'refuse' ? `  ✗ ${tool}  refused by ${rule}` : `  ✓ ${tool}  with the credential ${credential ?? 'none'}`,
    ),
    `  The agent says: ${answer.replaceAll(/\n+/g, ' ')}`,
    `  Still open: ${open.join('; ') || 'nothing'}`,
  ])
  const shown = passedOn
    ? 'A token of a caller HAS REACHED the ticket system.'
    : 'The ticket system was shown tokens that were made for it, one for each person, and none that the agent had.'
  return [...lines, '', shown].join('\n')
}
