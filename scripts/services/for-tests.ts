/**
 * Starts one PostgreSQL and one Redis for a whole test run. Where they cannot be had, the tests that need them are skipped
 * and it says so. Tests find them in the environment: see `gateway/src/store/backends.fixture.ts`.
 */
import { postgresPrograms, startPostgres } from './postgres.ts'
import { redisProgram, startRedis } from './redis.ts'

export default async function setup(): Promise<() => Promise<void>> {
  const running: AsyncDisposable[] = []
  const start = async (name: string, variable: string, isThere: boolean, run: () => Promise<{ url: string; server: AsyncDisposable }>) => {
    if (!isThere) {
      console.error(`${name} is not installed, so the tests that need it are skipped`)
      return
    }
    const { url, server } = await run()
    running.push(server)
    process.env[variable] = url
  }
  await Promise.all([
    start('PostgreSQL', 'TURNWARD_TEST_POSTGRES', postgresPrograms() !== undefined, async () => {
      const server = await startPostgres()
      return { url: server.url(), server }
    }),
    start('Redis', 'TURNWARD_TEST_REDIS', redisProgram() !== undefined, async () => {
      const server = await startRedis()
      return { url: server.url, server }
    }),
  ])
  return async () => {
    for (const server of running) await server[Symbol.asyncDispose]()
  }
}
