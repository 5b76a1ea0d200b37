/** A started server with a child for each person, who is given that person’s own secret: nobody else’s, in nothing that is written, and no longer than it is kept. */
import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

const people = ['ada', 'bob'] as const
type Person = (typeof people)[number]
const keyOf = (person: Person): string => `tw_conformance_${person}_${'0'.repeat(12)}`
const newSecret = (person: Person): string => `ticket-secret-of-${person}-${randomUUID()}`
const secrets = { ada: newSecret('ada'), bob: newSecret('bob') }
const all: string[] = Object.values(secrets)
const digest = (secret: string): string => createHash('sha256').update(secret).digest('hex')

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({
    config: {
      principals: Object.fromEntries(people.map((person) => [person, {}])),
      keys: Object.fromEntries(people.map((person) => [person, { principal: person, secret: keyOf(person) }])),
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
      contracts: { '*': { output: { trust: 'trusted' } } },
      servers: {
        tickets: {
          transport: 'stdio',
          per: 'principal',
          command: ['node', fixtureServer('secretive.mjs')],
          auth: { kind: 'person_secret', env: 'TICKETS_TOKEN', help: 'In the ticket system: your profile, Tokens.' },
        },
      },
      gateways: { main: { servers: ['tickets'] } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(() => gateway?.stop())

async function call(person: Person, name: string): Promise<string> {
  const client = await connectClient(gateway.url, keyOf(person))
  try {
    return textOf(await client.callTool({ name: `tickets__${name}`, arguments: {} }))
  } finally {
    await client.close()
  }
}

async function store(person: Person): Promise<void> {
  const { code, stdout, stderr } = await gateway.cli(['links', 'set', person, 'tickets'], `${secrets[person]}\n`)
  expect(code, stderr).toBe(0)
  expect(stdout).not.toContain(secrets[person])
}

/** Whether any process of this machine runs with this secret. */
function runsWith(secret: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(secret)
    } catch {
      return false
    }
  })
}

test('who has stored none is told where, and no child is started for it', async () => {
  const said = await call('ada', 'whose')
  expect(said).toMatch(/\/connect\/tickets\?for=/)
  expect(said).toContain('no secret is stored')
})

test('each person’s child has the secret of that person, and nobody’s command line shows one', async () => {
  for (const person of people) await store(person)
  expect(await Promise.all(people.map((person) => call(person, 'whose')))).toEqual(people.map((person) => digest(secrets[person])))
  for (const person of people) expect(runsWith(secrets[person])).toBe(true)
  const commands = readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'latin1')] : []
    } catch {
      return []
    }
  })
  expect(all.filter((secret) => commands.some((command) => command.includes(secret)))).toEqual([])
})

test('a secret that is replaced ends the child that had it, be it idle, and the next one has the new one', async () => {
  const before = secrets.ada
  secrets.ada = newSecret('ada')
  all.push(secrets.ada)
  await store('ada')
  await until('the end of the child with the old secret', () => !runsWith(before) || undefined)
  expect(await call('ada', 'whose')).toBe(digest(secrets.ada))
  expect(await call('bob', 'whose')).toBe(digest(secrets.bob))
})

test('a secret that is removed ends the child with the call in it, and no other person’s', async () => {
  const waiting = call('ada', 'wait').catch((error: unknown) => String(error))
  await until('the child of the call', () => runsWith(secrets.ada) || undefined)
  expect((await gateway.cli(['links', 'remove', 'ada', 'tickets'])).code).toBe(0)
  expect(await waiting).toMatch(/unavailable|closed|cannot be reached|no secret/i)
  await until('the end of the child', () => !runsWith(secrets.ada) || undefined)
  expect(await call('ada', 'whose')).toContain('no secret is stored')
  expect(runsWith(secrets.bob)).toBe(true)
  expect(await call('bob', 'whose')).toBe(digest(secrets.bob))
})

test('a person who is shut out has no child any more', async () => {
  expect((await gateway.cli(['people', 'disable', 'bob'])).code).toBe(0)
  await until('the end of the child', () => !runsWith(secrets.bob) || undefined)
  expect((await gateway.cli(['people', 'enable', 'bob'])).code).toBe(0)
  await until('a call of the person', async () => (await call('bob', 'whose').catch(() => '')) === digest(secrets.bob) || undefined)
})

test('no secret is in a log, a record or a listing, whatever the child writes', async () => {
  expect(await call('bob', 'complain')).toBe('complained')
  await until('what the child wrote', () => gateway.logs().includes('cannot sign in with') || undefined)
  const written = [
    gateway.logs(),
    (await gateway.cli(['servers', 'logs', 'tickets'])).stdout,
    (await gateway.cli(['links', 'list', '--json'])).stdout,
    JSON.stringify(await gateway.turnRecords()),
  ].join('\n')
  expect(all.filter((secret) => written.includes(secret))).toEqual([])
  // Nor in the files behind them.
  for (const folder of [gateway.dataDir, join(gateway.dataDir, 'logs')])
    for (const file of readdirSync(folder, { withFileTypes: true }))
      if (file.isFile()) {
        const content = await readFile(join(folder, file.name), 'latin1')
        expect(all.filter((secret) => content.includes(secret))).toEqual([])
      }
})
