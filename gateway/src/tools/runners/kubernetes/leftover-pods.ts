/**
 * Pods of a gateway that is gone. Each says which gateway it belongs to, and which process on which host made it. Those that
 * have ended are removed, and those of a process of this host that does not live any more. Others end with their input.
 */
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { sha256 } from '../../../core/hash.ts'
import { isObject } from '../../../core/json.ts'
import type { Logger } from '../../../core/logger.ts'
import { identify, isAlive } from '../running-process.ts'
import type { KubeApi } from './kube-api.ts'
import { marks } from './pod-spec.ts'

/** The gateway that keeps the homes of its servers in this folder: the same on another host. */
export function gatewayLabel(workDir: string): string {
  return sha256(dirname(workDir)).slice(0, 16)
}

/** This process, so that another one on this host can tell whether it still lives. */
export function processMark(): string {
  return `${hostname()} ${process.pid} ${identify(process.pid)?.startTime ?? ''}`
}

/** Removes what processes of this gateway left behind. `pods`: path of the pods of the namespace. Rejects with KubeError. */
export async function removeLeftovers(api: KubeApi, pods: string, gateway: string, logger: Logger): Promise<void> {
  const found = await api.must('GET', `${pods}?labelSelector=${encodeURIComponent(`${marks.gateway}=${gateway}`)}`)
  for (const pod of isObject(found) && Array.isArray(found.items) ? found.items : []) {
    if (!isObject(pod) || !isObject(pod.metadata) || typeof pod.metadata.name !== 'string') continue
    const { name, annotations } = pod.metadata
    const { [marks.server]: server, [marks.process]: owner } = isObject(annotations) ? annotations : {}
    const phase = isObject(pod.status) ? pod.status.phase : undefined
    if (phase !== 'Succeeded' && phase !== 'Failed' && mayLive(owner)) continue
    logger.warn({ server, pod: name }, 'a pod that a gateway left behind is removed')
    await api.ask('DELETE', `${pods}/${name}?gracePeriodSeconds=0`)
  }
}

/** Whether a process may live: of another host nobody here knows. */
function mayLive(owner: unknown): boolean {
  const [host, pid = '', startTime = ''] = typeof owner === 'string' ? owner.split(' ') : []
  return host !== hostname() || !/^\d+$/.test(pid) || isAlive({ pid: Number(pid), startTime })
}
