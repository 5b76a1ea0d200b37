/** Several real servers (Redis or Valkey) that are one: a cluster, and a primary with a copy that sentinels watch. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { ordinaryUser } from './ordinary-user.ts'
import { redisPassword, redisProgram, startRedis, type RedisServer } from './redis.ts'

export interface RedisServers extends AsyncDisposable {
  readonly url: string
  readonly servers: readonly RedisServer[]
}

const lookMs = 50
const settledMs = 30_000
const slots = 16_384

/** A cluster of three servers, each with a third of the slots. */
export async function startRedisCluster(): Promise<RedisServers> {
  const servers: RedisServer[] = []
  for (let at = 0; at < 3; at += 1)
    servers.push(
      await startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-node-timeout', '2000']),
    )
  const clients = servers.map(({ url }) => new Redis(url))
  for (const [at, client] of clients.entries()) {
    const [from, to] = [Math.floor((slots * at) / 3), Math.floor((slots * (at + 1)) / 3) - 1]
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    const [first] = clients
    if (first === undefined || at === 0) continue
    const bus = String(await client.config('GET', 'cluster-port').then((found) => (found as string[])[1]))
    await first.call('CLUSTER', 'MEET', '127.0.0.1', String(servers[at]?.port), bus)
  }
  await settled('the cluster to form', async () => {
    const told = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'INFO'))))
    return told.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3'))
  })
  for (const client of clients) client.disconnect()
  return {
    url: `redis+cluster://:${redisPassword}@${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    servers,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]()
    },
  }
}

/** A primary (the first of `servers`), a copy of it, and three sentinels that make the copy the primary when that is gone. */
export async function startRedisSentinels(): Promise<RedisServers> {
  const program = redisProgram()
  if (program === undefined) throw new Error('Redis is not installed: apt-get install redis-server')
  const primary = await startRedis(['--masterauth', redisPassword])
  const copy = await startRedis(['--masterauth', redisPassword, '--replicaof', '127.0.0.1', String(primary.port)])
  const folder = mkdtempSync(join(tmpdir(), 'turnward-sentinels-'))
  const user = ordinaryUser('redis')
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const sentinels: ChildProcess[] = []
  const ports: number[] = []
  for (let at = 0; at < 3; at += 1) {
    const port = await freePort()
    const file = join(folder, `sentinel-${at}.conf`)
    const settings = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
      `sentinel auth-pass main ${redisPassword}`,
      'sentinel down-after-milliseconds main 1000',
      'sentinel failover-timeout main 3000',
    ]
    writeFileSync(file, `${settings.join('\n')}\n`)
    if (user !== undefined) chownSync(file, user.uid, user.gid)
    sentinels.push(spawn(program, [file, '--sentinel'], { ...user, cwd: folder, stdio: 'ignore' }))
    ports.push(port)
  }
  const client = new Redis({ port: ports[0] ?? 0, retryStrategy: () => lookMs, maxRetriesPerRequest: null })
  client.on('error', () => {})
  await settled('the sentinels to know each other and the copy', async () => {
    const found = (await client.call('SENTINEL', 'MASTER', 'main')) as string[]
    const value = (name: string): string | undefined => found[found.indexOf(name) + 1]
    return value('num-slaves') === '1' && value('num-other-sentinels') === '2' && value('flags') === 'master'
  })
  client.disconnect()
  return {
    url: `redis+sentinel://:${redisPassword}@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/main`,
    servers: [primary, copy],
    async [Symbol.asyncDispose]() {
      for (const sentinel of sentinels) {
        if (sentinel.exitCode !== null || sentinel.signalCode !== null) continue
        const exited = once(sentinel, 'exit')
        sentinel.kill('SIGKILL')
        await exited
      }
      await primary[Symbol.asyncDispose]()
      await copy[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function settled(what: string, look: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + settledMs
  while (!(await look().catch(() => false))) {
    if (Date.now() > until) throw new Error(`waited in vain for ${what}`)
    await sleep(lookMs)
  }
}
