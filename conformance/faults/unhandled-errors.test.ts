/** What nobody handled is told and counted, without the words it came with, and the process goes on. */
import { expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'

/** A fault inside the process, on demand: signals stand for whatever input would find one. */
const fault = `
const secret = 'the words of the conversation'
process.on('SIGUSR2', () => { Promise.reject(new Error(secret)) })
process.on('SIGWINCH', () => { throw Object.assign(new Error(secret), { code: 'E_BROKEN' }) })
`
const config = { upstreams: {}, routes: [] }

test.each([
  ['rejection', 'SIGUSR2'],
  ['exception', 'SIGWINCH'],
] as const)('an unhandled %s does not end the process', async (kind, signal) => {
  await using gateway = await startGateway({ config, files: { 'fault.mjs': fault }, env: { NODE_OPTIONS: '--import ./fault.mjs' } })
  gateway.signal(signal)
  const counted = await until(
    'the count',
    async () =>
      new RegExp(`turnward_unhandled_errors_total\\{.*kind="${kind}".*\\} (\\d)`).exec(
        await (await fetch(`${gateway.url}/metrics`)).text(),
      )?.[1],
  )
  expect(counted).toBe('1')
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  const line =
    gateway
      .logs()
      .split('\n')
      .find((one) => one.includes('nobody handled')) ?? ''
  expect(JSON.parse(line)).toMatchObject({
    level: 'error',
    kind,
    code: 'gateway.internal',
    type: 'Error',
    at: expect.arrayContaining([expect.stringContaining('fault.mjs')]),
  })
  expect(gateway.logs()).not.toContain('the words of the conversation')
  expect(await gateway.stop()).toBe(0)
})

test('before the gateway is open an exception ends the process', async () => {
  const early = `
const look = setInterval(() => {
  if (process.listenerCount('uncaughtException') === 0) return
  clearInterval(look)
  throw new Error('early')
}, 0)`
  await expect(startGateway({ config, files: { 'fault.mjs': early }, env: { NODE_OPTIONS: '--import ./fault.mjs' } })).rejects.toThrow(
    /ended with code 1[^]*nobody handled/,
  )
})
