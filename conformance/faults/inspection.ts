/**
 * Looks into a running gateway from outside, through the inspector every Node opens on SIGUSR1: heap after a full collection
 * and what keeps the event loop alive. Start the gateway with `inspectable` in its environment.
 */
import type { RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'

/** Variables that let the inspector choose its own port. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=0' }

export interface Inside {
  /** Used heap in MB after a full garbage collection. */
  readonly heapMb: number
  /** Memory outside the heap that Buffers hold, in MB. */
  readonly buffersMb: number
  readonly timers: number
  /** Connections the process has, in both directions. */
  readonly connections: number
}

export interface Inspector {
  /** Collects garbage first. */
  look(): Promise<Inside>
  /** Resolves when the gateway holds less than so many megabytes more than it did: what is on its way out needs not be gone at once. */
  shrinks(what: string, before: Inside, megabytes: number): Promise<Inside>
  close(): void
}

/** Opens the inspector of a gateway. */
export async function inspect(gateway: RunningGateway): Promise<Inspector> {
  gateway.signal('SIGUSR1')
  const address = await until('the inspector', () => /ws:\/\/[\w.:/-]+/.exec(gateway.logs())?.[0])
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const waiting = new Map<number, (result: { result?: { value?: unknown } }) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: { result?: { value?: unknown } } }
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  let last = 0
  const ask = (method: string, params: object = {}): Promise<{ result?: { value?: unknown } }> =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      socket.send(JSON.stringify({ id: last, method, params }))
    })
  const look = async (): Promise<Inside> => {
    // Twice: what finalizers let go of is only free after the second.
    await ask('HeapProfiler.collectGarbage')
    await ask('HeapProfiler.collectGarbage')
    const { result } = await ask('Runtime.evaluate', {
      expression: 'JSON.stringify({ memory: process.memoryUsage(), active: process.getActiveResourcesInfo() })',
    })
    const { memory, active } = JSON.parse(String(result?.value)) as { memory: NodeJS.MemoryUsage; active: string[] }
    const count = (name: string): number => active.filter((one) => one === name).length
    return {
      heapMb: memory.heapUsed / 2 ** 20,
      buffersMb: memory.arrayBuffers / 2 ** 20,
      timers: count('Timeout') + count('Immediate'),
      connections: count('TCPSocketWrap'),
    }
  }
  return {
    look,
    async shrinks(what, before, megabytes) {
      let grown = 0
      try {
        return await until(what, async () => {
          const now = await look()
          grown = now.heapMb + now.buffersMb - before.heapMb - before.buffersMb
          return grown < megabytes ? now : undefined
        })
      } catch (error) {
        throw new Error(`${what}: ${Math.round(grown)} MB, and not less than ${megabytes}`, { cause: error })
      }
    },
    close: () => socket.close(),
  }
}
