/**
 * The lanes: who answers the suite, in which era, and through what. A lane is a line in a table; what it may fail is the
 * file of its name in `expected-failures/`.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ranAgainstAuthorizationServer } from './authorization-leg.ts'
import { ranAsClient } from './client-leg.ts'
import { ranDirectly, ranTasks, ranTasksDirectly, ranThroughAggregate, ranThroughGateway } from './server-leg.ts'
import { required, type Leg, type Ran, type Revision } from './suite.ts'
import { judge, type Verdict } from './verdict.ts'

interface Lane {
  readonly name: string
  readonly what: string
  readonly leg: Leg
  readonly revision: Revision
  readonly run: (revision: Revision, extras: readonly string[]) => Promise<Ran>
  /** What is scored instead of what the revision requires. */
  readonly scenarios?: readonly string[]
}

/** Scenarios of the tasks extension. The suite itself skips the one of notifications. */
const tasks = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
]

/** Scenarios of authorization servers; no revision requires them yet. */
const authorization = ['authorization-server-metadata-endpoint', 'authorization-code-grant']

const legacy = '2025-11-25'
const modern = '2026-07-28'

const fixture = 'the fixture itself, which shows that it is right'
const others = 'the fixture beside a server of files and one of memories'
const asClient = 'servers of the suite behind the gateway, which is their client'

export const lanes: readonly Lane[] = [
  { name: `direct-${legacy}`, what: fixture, leg: 'server', revision: legacy, run: ranDirectly },
  { name: `direct-${modern}`, what: fixture, leg: 'server', revision: modern, run: ranDirectly },
  {
    name: 'legacy-to-legacy',
    what: 'a legacy client, a server that is legacy only',
    leg: 'server',
    revision: legacy,
    run: (revision) => ranThroughGateway(revision, 'legacy'),
  },
  {
    name: 'modern-to-modern',
    what: 'a modern client, a server that is modern only',
    leg: 'server',
    revision: modern,
    run: (revision) => ranThroughGateway(revision, 'modern'),
  },
  {
    name: 'modern-to-legacy',
    what: 'a modern client, a server that is legacy only: what is modern is the gateway',
    leg: 'server',
    revision: modern,
    run: (revision) => ranThroughGateway(revision, 'legacy'),
  },
  {
    name: 'legacy-to-modern',
    what: 'a legacy client, a server that is modern only: what is legacy is the gateway',
    leg: 'server',
    revision: legacy,
    run: (revision) => ranThroughGateway(revision, 'modern'),
  },
  { name: `aggregate-${legacy}`, what: others, leg: 'server', revision: legacy, run: ranThroughAggregate },
  { name: `aggregate-${modern}`, what: others, leg: 'server', revision: modern, run: ranThroughAggregate },
  {
    name: 'tasks-direct',
    what: 'the tasks extension, the fixture itself',
    leg: 'server',
    revision: modern,
    run: () => ranTasksDirectly(tasks),
    scenarios: tasks,
  },
  {
    name: 'tasks',
    what: 'the tasks extension through the gateway',
    leg: 'server',
    revision: modern,
    run: () => ranTasks(tasks),
    scenarios: tasks,
  },
  ...([legacy, modern] as const).map((revision) => ({
    name: `authorization-${revision}`,
    what: 'an application of a person, and the authorization server of the gateway',
    leg: 'server' as const,
    revision,
    run: ranAgainstAuthorizationServer,
    scenarios: authorization,
  })),
  { name: `client-${legacy}`, what: asClient, leg: 'client', revision: legacy, run: ranAsClient },
  { name: `client-${modern}`, what: asClient, leg: 'client', revision: modern, run: ranAsClient },
]

const ofClients = ['json-schema-2020-12-preservation', 'auth/client-credentials-jwt', 'auth/client-credentials-basic']

/** What the suite does not score yet and a gateway can do: judged all the same. Tasks have lanes of their own. */
const extras: Readonly<Record<Leg, Readonly<Record<Revision, readonly string[]>>>> = {
  server: {
    [legacy]: ['server-session-lifecycle', 'json-schema-2020-12', 'server-sse-polling'],
    [modern]: ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation'],
  },
  client: { [legacy]: ofClients, [modern]: ofClients },
}

/** Runs a lane and says what it comes to. */
export async function runLane({ name, leg, revision, run, scenarios }: Lane): Promise<Verdict> {
  const unscored = scenarios === undefined ? extras[leg][revision] : []
  return judge({
    ran: await run(revision, unscored),
    scored: scenarios ?? (await required(revision, leg)),
    extras: unscored,
    expected: await expectedFailures(name),
    ...(leg === 'server' && scenarios === undefined ? { reference: await ranDirectly(revision) } : {}),
  })
}

/** `scenario:check` -> reason. A lane without a file may fail nothing. */
async function expectedFailures(name: string): Promise<ReadonlyMap<string, string>> {
  const path = join(import.meta.dirname, 'expected-failures', `${name}.yaml`)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return new Map(Object.entries((parse(text) as Record<string, string> | null) ?? {}))
}
