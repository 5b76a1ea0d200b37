/** One pod from its making to its removal: how it is, why it ended, and an end that leaves nothing behind. */
import { setTimeout as wait } from 'node:timers/promises'
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { Logger } from '../../../core/logger.ts'
import { endsByItself, hasEnded, isRemoved, type RemoteLife } from '../remote-server.ts'
import { endReason } from '../running-process.ts'
import type { KubeApi } from './kube-api.ts'

export interface PodLifeOptions {
  readonly api: KubeApi
  /** Path of the pod. */
  readonly path: string
  readonly server: string
  readonly logger: Logger
}

const stopMs = 2000
/** Until the kubelet has told how a container ended whose streams are over. */
const reasonTries = 20
const reasonMs = 100

export class PodLife implements RemoteLife {
  readonly #options: PodLifeOptions

  constructor(options: PodLifeOptions) {
    this.#options = options
  }

  /** The pod as it is now; undefined when it is gone. Rejects with KubeError. */
  async look(): Promise<JsonObject | undefined> {
    const { api, path } = this.#options
    const { status, body } = await api.ask('GET', path)
    if (status === 404) return undefined
    return status === 200 && isObject(body) ? body : {}
  }

  /** Why it ended; undefined while it has not. */
  reasonOf({ status }: JsonObject): string | undefined {
    if (!isObject(status)) return undefined
    const [container] = Array.isArray(status.containerStatuses) ? status.containerStatuses : []
    const state = isObject(container) && isObject(container.state) ? container.state : {}
    const { terminated } = state
    if (isObject(terminated) && typeof terminated.exitCode === 'number')
      return terminated.reason === 'OOMKilled' ? 'memory limit' : endReason(terminated.exitCode, null, false)
    if (status.phase !== 'Failed' && status.phase !== 'Succeeded') return undefined
    return typeof status.reason === 'string' ? status.reason.slice(0, 100) : 'the pod ended'
  }

  /** Resolves with why it ended, when nothing of it is left. `detached`: its streams are over, and so it is of no use. */
  async watch(detached: Promise<void>): Promise<string> {
    await detached
    const why = await this.#why()
    await this.remove()
    return why
  }

  async stop(graceMs: number, ended: Promise<string>, endInput: () => void, cutOff: () => void): Promise<void> {
    if (graceMs > 0) {
      if (await endsByItself(graceMs, ended, endInput)) return
      const { api, path } = this.#options
      await api.ask('DELETE', `${path}?gracePeriodSeconds=${Math.ceil(graceMs / 1000)}`).catch(() => {})
      if (await hasEnded(ended, graceMs + stopMs)) return
    }
    await this.remove()
    cutOff()
    await ended
  }

  /** Removes it, running or not. Never rejects: what is left is found by the next process. */
  async remove(): Promise<void> {
    const { api, path, server, logger } = this.#options
    if (await isRemoved(() => api.ask('DELETE', `${path}?gracePeriodSeconds=0`), [404])) return
    logger.error({ server, pod: path.slice(path.lastIndexOf('/') + 1) }, 'the pod of an MCP server could not be removed')
  }

  async #why(): Promise<string> {
    try {
      for (let tries = 0; tries < reasonTries; tries += 1) {
        const pod = await this.look()
        if (pod === undefined) return 'the pod is gone'
        const why = this.reasonOf(pod)
        if (why !== undefined) return why
        await wait(reasonMs)
      }
      return 'the connection to the pod is over'
    } catch {
      return 'the API server of Kubernetes is gone'
    }
  }
}
