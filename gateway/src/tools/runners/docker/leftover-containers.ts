/**
 * Containers of a gateway that is gone. A container carries which gateway it belongs to and which process of it; those whose
 * process does not live any more are removed when the gateway starts its first container.
 */
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { sha256 } from '../../../core/hash.ts'
import { isObject } from '../../../core/json.ts'
import type { Logger } from '../../../core/logger.ts'
import { identify, isAlive } from '../running-process.ts'
import { labels } from './container-spec.ts'
import type { EngineApi } from './engine-api.ts'

/** The gateway that keeps the homes of its servers in this folder on this host: the same after a restart, and no other. */
export function gatewayId(workDir: string): string {
  return sha256(`${hostname()} ${dirname(workDir)}`).slice(0, 16)
}

/** This process, so that another one can tell whether it still lives. */
export function processId(pid = process.pid): string {
  return `${pid}:${identify(pid)?.startTime ?? ''}`
}

/** Removes what processes of this gateway left behind that do not live any more. Rejects with EngineError. */
export async function removeLeftovers(api: EngineApi, gateway: string, logger: Logger): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${labels.gateway}=${gateway}`] }))
  const found = await api.must('GET', `/containers/json?all=1&filters=${filters}`)
  for (const container of Array.isArray(found) ? found : []) {
    if (!isObject(container) || typeof container.Id !== 'string' || !isObject(container.Labels)) continue
    const { [labels.process]: owner, [labels.server]: server, [labels.gateway]: of } = container.Labels
    if (of !== gateway || typeof owner !== 'string' || livesStill(owner)) continue
    logger.warn({ server, container: container.Id.slice(0, 12) }, 'a container that a gateway left behind is removed')
    await api.ask('DELETE', `/containers/${container.Id}?force=1&v=1`)
  }
}

function livesStill(owner: string): boolean {
  const [pid = '', startTime = ''] = owner.split(':')
  return /^\d+$/.test(pid) && isAlive({ pid: Number(pid), startTime })
}
