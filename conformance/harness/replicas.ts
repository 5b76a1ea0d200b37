/**
 * Several gateways over one PostgreSQL and one Redis, as an installation past one machine has them. Both are real; a test that
 * stops or cuts them starts its own.
 */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { freePort } from '../../scripts/services/free-port.ts'
import { startGateway, type RunningGateway } from './gateway-process.ts'

/** The servers of the test run; undefined where they cannot be had. */
export const testServices = {
  postgres: process.env['TURNWARD_TEST_POSTGRES'],
  redis: process.env['TURNWARD_TEST_REDIS'],
}

/** Whether this machine can run replicas at all. */
export const hasServices = testServices.postgres !== undefined && testServices.redis !== undefined

/** Where an installation keeps everything. */
export interface Places {
  /** Of an empty database. */
  readonly databaseUrl: string
  readonly stateUrl: string
  readonly prefix: string
}

export const clusterSecret = `conformance-cluster-${randomBytes(24).toString('hex')}`

/** A database and a prefix of their own, on the servers of the test run unless others are named. */
export async function makePlaces(postgres = testServices.postgres, redis = testServices.redis): Promise<Places> {
  if (postgres === undefined || redis === undefined) throw new Error('there is no PostgreSQL or no Redis in this test run')
  const name = `conformance_${randomBytes(8).toString('hex')}`
  const administrator = new Client({ connectionString: postgres })
  await administrator.connect()
  await administrator.query(`create database ${name}`)
  await administrator.end()
  const database = new URL(postgres)
  database.pathname = `/${name}`
  return { databaseUrl: database.href, stateUrl: redis, prefix: `${name}:` }
}

/** The sections that make a gateway one of several. What they need of the environment is in `replicaEnv`. */
export function replicaSections(name: string, port: number, { prefix }: Pick<Places, 'prefix'>): Record<string, unknown> {
  return {
    listen: { port },
    store: { kind: 'postgres', url: '${DATABASE_URL}', pool: 3 },
    state: { kind: 'valkey', url: '${VALKEY_URL}', prefix },
    cluster: { replica: name, advertise: `http://127.0.0.1:${port}`, secret: '${CLUSTER_SECRET}' },
  }
}

export function replicaEnv({ databaseUrl, stateUrl }: Places): Record<string, string> {
  return { DATABASE_URL: databaseUrl, VALKEY_URL: stateUrl, CLUSTER_SECRET: clusterSecret }
}

export interface ReplicaOptions {
  readonly config: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly places: Places
  /** Another secret of the cluster than everybody has. */
  readonly secret?: string
}

/** Starts one more replica of an installation. */
export async function startReplica(name: string, { config, env, places, secret = clusterSecret }: ReplicaOptions): Promise<RunningGateway> {
  const sections = replicaSections(name, await freePort(), places)
  return startGateway({ config: { ...config, ...sections }, env: { ...env, ...replicaEnv(places), CLUSTER_SECRET: secret } })
}

export interface Replicas extends AsyncDisposable {
  readonly gateways: readonly RunningGateway[]
}

/** Starts the replicas of an installation at the same moment, as a rollout does. */
export async function startReplicas(names: readonly string[], options: ReplicaOptions): Promise<Replicas> {
  const started = await Promise.allSettled(names.map((name) => startReplica(name, options)))
  const gateways = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  const stop = async (): Promise<void> => void (await Promise.all(gateways.map((gateway) => gateway.stop())))
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { gateways, [Symbol.asyncDispose]: stop }
}
