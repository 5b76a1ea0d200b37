/** A gateway starts whatever was made over the API, as long as its file is right by itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Logger } from '../../core/logger.ts'
import { silentLogger } from '../../core/logger.ts'
import { ConfigError } from '../problems.ts'
import { RunningConfig } from '../running-config.ts'
import type { Snapshot } from '../snapshot.ts'
import { readManagedObjects } from './managed-objects.ts'

const folder = mkdtempSync(join(tmpdir(), 'turnward-leaving-out-'))
const path = join(folder, 'turnward.yaml')
afterAll(() => rmSync(folder, { recursive: true }))

/** Opens with a file and objects beside it, closes again, and gives what it ran on. */
async function started(file: object, objects: object, logger: Logger = silentLogger): Promise<Snapshot> {
  writeFileSync(path, JSON.stringify(file))
  const newest = async () => ({ revision: 7, objects: readManagedObjects(objects) })
  const config = await RunningConfig.open(path, { KEY: 'a secret' }, logger, { managed: { newest } })
  config.close()
  return config.current
}

const managed = { references: ['KEY'] }
const upstreams = { local: { kind: 'ollama' } }

describe('objects that do not go with the file at the start', () => {
  test('are all used when they do', async () => {
    const { managed: facts, routes } = await started({ upstreams }, { routes: { chat: { model: 'm', upstreams: ['local'] } } })
    expect([facts, routes.names]).toEqual([{ revision: 7, leftOut: [], holdsCalls: false }, ['m']])
  })

  test('are left out with what needs them, one after the other, and no others', async () => {
    const told: unknown[] = []
    const logger = { ...silentLogger, error: (facts: unknown) => void told.push(facts) }
    const objects = {
      credentials: { gone: { secret: '${KEY}' } },
      upstreams: { one: { kind: 'openai', credential: 'gone' }, other: { kind: 'ollama' } },
      gateways: { main: { servers: ['tickets'] } },
      servers: { tickets: { transport: 'http', url: 'https://mcp.example/mcp', headers: { 'x-key': '${KEY}' } } },
    }
    // The file does not allow the variable any more.
    const snapshot = await started({ upstreams }, objects, logger)
    expect([...snapshot.upstreams.keys()]).toEqual(['local', 'other'])
    expect(snapshot.managed).toEqual({
      revision: 7,
      leftOut: ['credentials/gone', 'upstreams/one', 'servers/tickets', 'gateways/main'],
      holdsCalls: false,
    })
    expect(told.at(-1)).toMatchObject({ code: 'config.managed_conflict', leftOut: snapshot.managed.leftOut })
    expect(JSON.stringify(told)).not.toContain('a secret')
  })

  test.each([
    ['a rule', { rules: { never: { when: 'session.trust <', verdict: 'deny', reason: 'Never.' } } }],
    ['a route', { routes: { chat: { model: 'm', upstreams: ['gone'] } } }],
    ['a grant that forbids', { grants: { nobody: { principals: ['gone'], forbid: { models: ['*'] } } } }],
  ])('hold all calls where they restrict them: %s', async (_what, objects) => {
    expect((await started({ upstreams }, objects)).managed).toMatchObject({ leftOut: [expect.any(String)], holdsCalls: true })
  })

  test('hold none where they only allow something', async () => {
    const objects = { grants: { some: { principals: ['gone'], models: ['*'] } } }
    expect((await started({ upstreams }, objects)).managed).toMatchObject({ leftOut: ['grants/some'], holdsCalls: false })
  })

  test('are none of them used where it cannot be told which it is', async () => {
    // What they come to together is more than there may be, which is no one's fault.
    const rule = { count: 'requests', limit: 1, window: '1h' }
    const named = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => ({ name: `${prefix}${at}`, ...rule }))
    const objects = { limits: Object.fromEntries(named('made-', 100).map((one) => [one.name, { ...rule }])) }
    const { limits, managed: facts } = await started({ limits: { rules: named('filed-', 200) } }, objects)
    expect([limits.length, facts.leftOut.length, facts.holdsCalls]).toEqual([200, 100, true])
  })

  test('keep no mistake of the file from being told', async () => {
    const objects = { upstreams: { made: { kind: 'ollama', credential: 'gone' } } }
    const refused = started({ routes: [{ model: 'm', upstreams: ['made'] }] }, objects)
    await expect(refused).rejects.toBeInstanceOf(ConfigError)
  })
})

test('what was left out is used once the file is mended, while the gateway runs', async () => {
  writeFileSync(path, JSON.stringify({}))
  const newest = async () => ({ revision: 1, objects: readManagedObjects({ routes: { chat: { model: 'm', upstreams: ['local'] } } }) })
  const config = await RunningConfig.open(path, {}, silentLogger, { managed: { newest } })
  try {
    expect(config.current.managed).toEqual({ revision: 1, leftOut: ['routes/chat'], holdsCalls: true })
    writeFileSync(path, JSON.stringify({ upstreams }))
    expect(await config.reload('test')).toBe(true)
    expect([config.current.managed, config.current.routes.names]).toEqual([{ revision: 1, leftOut: [], holdsCalls: false }, ['m']])
  } finally {
    config.close()
  }
})

test('an edit of the file that does not go with them changes nothing while the gateway runs', async () => {
  writeFileSync(path, JSON.stringify({ upstreams, managed }))
  const newest = async () => ({ revision: 1, objects: readManagedObjects({ credentials: { c: { secret: '${KEY}' } } }) })
  const config = await RunningConfig.open(path, { KEY: 'a secret' }, silentLogger, { managed: { newest } })
  try {
    writeFileSync(path, JSON.stringify({ upstreams }))
    expect(await config.reload('test')).toBe(false)
    expect([config.current.managed.leftOut, config.problem]).toEqual([[], expect.stringContaining('`KEY` may not be referred to')])
  } finally {
    config.close()
  }
})
