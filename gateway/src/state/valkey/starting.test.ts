/** Addresses that are right, addresses that are wrong, and an answer that was lost: what is said is true, is one error, and holds no secret. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FaultProxy } from '../../../../conformance/harness/fault-proxy.ts'
import { freePort } from '../../../../scripts/services/free-port.ts'
import { redisProgram, startRedis, type RedisServer } from '../../../../scripts/services/redis.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger, type Logger } from '../../core/logger.ts'
import { selfSigned, type Certificate } from '../../http1/certificate.fixture.ts'
import { notedInMemory } from '../backends.fixture.ts'
import { add } from '../state-operations.ts'
import { openValkeyState, type ValkeyStateOptions } from './open-valkey-state.ts'

const secret = 'a-secret-nobody-may-see'
const later = Date.now() + 3_600_000
const commands = ['get', 'mget', 'set', 'eval', 'evalsha', 'publish', 'subscribe', 'ping', 'time', 'info']

describe.skipIf(redisProgram() === undefined)('a shared state is opened', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnward-starting-'))
  const ours = selfSigned()
  const elsewhere = selfSigned('elsewhere.example', [192, 0, 2, 1])
  const servers: RedisServer[] = []
  const tlsPorts: number[] = []
  let plain: RedisServer

  async function secure(name: string, { cert, key }: Certificate): Promise<void> {
    const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)
    const port = await freePort()
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile]
    servers.push(await startRedis(['--tls-port', String(port), '--tls-auth-clients', 'no', ...files]))
    tlsPorts.push(port)
  }

  beforeAll(async () => {
    chmodSync(folder, 0o755)
    plain = await startRedis(['--user', 'turnward', 'on', `>${secret}`, '~acl:*', '&acl:*', ...commands.map((name) => `+${name}`)])
    servers.push(plain)
    await secure('ours', ours)
    await secure('elsewhere', elsewhere)
  })
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const noted = notedInMemory()
  const open = (url: string, more: Partial<ValkeyStateOptions> = {}) =>
    openValkeyState({ url, prefix: 'acl:', timeoutMs: 1500, noted, clock: systemClock, logger: silentLogger, ...more })

  test('by a user who may run the commands that are named, on its own keys and channels, and nothing else', async () => {
    const url = `redis://turnward:${secret}@127.0.0.1:${plain.port}`
    const [here, there] = [await open(url), await open(url)]
    const woken = Promise.withResolvers<void>()
    const stop = here.listen('topic', () => woken.resolve())
    const counted = await there.change('count', 'k', () => ({ value: 1, expires: later, result: 1, announce: 'topic' }))
    await woken.promise
    expect([counted, await here.get('count', 'k')]).toEqual([1, 1])
    stop()
    await here.close()
    await there.close()
  })

  test('behind TLS, when the authority is named', async () => {
    const state = await open(`rediss://:test-password@localhost:${tlsPorts[0]}`, { ca: ours.cert })
    expect(await add(state, 'count', 'tls', 1, later)).toBe(1)
    await state.close()
  })

  test.each<[string, () => readonly [url: string, ca?: string], RegExp]>([
    ['a wrong password of a user', () => [`redis://turnward:not-${secret}@127.0.0.1:${plain.port}`], /refuses the user or the password/],
    ['a user nobody knows', () => [`redis://nobody:${secret}@127.0.0.1:${plain.port}`], /refuses the user or the password/],
    ['no password', () => [`redis://127.0.0.1:${plain.port}`], /asks for a password/],
    ['an unknown host', () => [`redis://:${secret}@nobody.invalid:6379`], /host name (?:is not known|cannot be looked up)/],
    ['a port where nobody listens', () => [`redis://:${secret}@127.0.0.1:1`], /nothing listens/],
    [
      'an authority that is not named',
      () => [`rediss://:${secret}@localhost:${tlsPorts[0]}`],
      /certificate of the server cannot be verified/,
    ],
    [
      'another authority',
      () => [`rediss://:${secret}@localhost:${tlsPorts[0]}`, elsewhere.cert],
      /certificate of the server cannot be verified/,
    ],
    ['a certificate for another host', () => [`rediss://:${secret}@localhost:${tlsPorts[1]}`, elsewhere.cert], /for another host name/],
    ['TLS where there is none', () => [`rediss://:${secret}@localhost:${plain.port}`, ours.cert], /does not speak TLS|does not answer/],
  ])('or not: %s is one error that says so, without the address', async (_, address, why) => {
    const [url, ca] = address()
    const failure: unknown = await open(url, { ca }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'state.unavailable', why: expect.stringMatching(why) as string })
    const told = `${String(failure)} ${JSON.stringify(failure)}`
    expect(told).not.toContain(secret)
    expect(told).not.toContain('nobody')
  })

  test('with a warning when the server throws values away by itself, or forgets when it is started again', async () => {
    await using careless = await startRedis(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'])
    await using careful = await startRedis(['--appendonly', 'yes'])
    const warnings: string[] = []
    const logger = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) } as Logger
    await (await open(careless.url, { logger })).close()
    expect(warnings).toEqual([expect.stringContaining('appendonly yes'), expect.stringContaining('noeviction')])
    await (await open(careful.url, { logger })).close()
    expect(warnings).toHaveLength(2)
  })

  test('and a write whose answer was lost is made once, and told truthfully', async () => {
    await using proxy = await FaultProxy.to(plain.port)
    const state = await open(proxy.through(plain.url))
    expect(await add(state, 'count', 'lost', 1, later)).toBe(1)
    const lost = proxy.swallowAnswer((request) => request.includes('EVALSHA') || request.includes('evalsha'))
    const told: number | string = await Promise.resolve(add(state, 'count', 'lost', 1, later)).catch(
      (error: { code: string }) => error.code,
    )
    await lost
    const direct = await open(plain.url)
    expect([told, await direct.get('count', 'lost')]).toEqual([2, 2])
    await state.close()
    await direct.close()
  })
})
