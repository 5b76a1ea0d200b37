/**
 * The runner that makes a pod of a server through the API server of Kubernetes. A pod belongs to the process that started it:
 * its input ends with that process's connection, and it is removed when it has ended.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { TurnwardError } from '../../../core/error.ts'
import { randomText } from '../../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { Logger } from '../../../core/logger.ts'
import { unavailable } from '../../connectors/failure.ts'
import { stdioConfig, type StdioConfig } from '../resource-limits.ts'
import { remoteServer } from '../remote-server.ts'
import type { Runner, RunnerOptions, RunningServer } from '../runner.ts'
import { KubeApi, KubeError, readOf } from './kube-api.ts'
import { gatewayLabel, processMark, removeLeftovers } from './leftover-pods.ts'
import { closedPolicy, containerName, kubernetesSettings, marks, openPolicy, podName, podSpec } from './pod-spec.ts'
import { PodLife } from './pod-life.ts'
import { podStreams } from './pod-streams.ts'

/** Within what a server has to start, less what it then needs to say what it has. */
const runningMs = 50_000
const firstLookMs = 100
const longestLookMs = 1000

/** A runner of pods. Errors of `start`: `mcp.server_unavailable` with what the API server says, `sandbox.limits`, `config.invalid`. */
export function createKubernetesRunner(): Runner {
  /** By place and gateway: what earlier processes left behind is removed once, before anything is started. */
  const cleaned = new Map<string, Promise<void>>()
  const clean = ({ api, pods, key: place }: Place, gateway: string, logger: Logger): Promise<void> => {
    const key = `${place} ${gateway}`
    const cleaning = cleaned.get(key) ?? removeLeftovers(api, pods, gateway, logger)
    cleaned.set(key, cleaning)
    cleaning.catch(() => cleaned.delete(key))
    return cleaning
  }
  return {
    name: 'kubernetes',
    async available(server) {
      if (server === undefined) return undefined
      try {
        const { api, pods } = await placeOf(server.name, stdioConfig(server.name, server.config))
        await api.must('GET', `${pods}?limit=1`)
        return undefined
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    },
    describe: ({ server }) => {
      const config = stdioConfig(server.name, server.config)
      const { image, namespace } = kubernetesSettings(server.name, config)
      const where = namespace === undefined ? [] : [`--namespace=${namespace}`]
      const run = ['kubectl', 'run', podName(server.name, 'x'), ...where, '--stdin', '--restart=Never', `--image=${image}`]
      return [...run, ...(config.command.length === 0 ? [] : ['--', ...config.command])]
    },
    async start(options) {
      const { server, workDir, logger } = options
      const config = stdioConfig(server.name, server.config)
      if (config.limits.unenforced !== 'accept')
        throw new TurnwardError('sandbox.limits', {
          subject: server.name,
          why: 'a pod cannot be made with a limit for its processes; the kubelet has one for all (`podPidsLimit`), which nobody here can see',
          fix: 'Set `podPidsLimit` on the nodes, and `limits.unenforced: accept` for this server.',
        })
      try {
        const place = await placeOf(server.name, config)
        const gateway = gatewayLabel(workDir)
        // Each time: nothing of ours is noticed less than a policy that somebody has taken away.
        await closeNetwork(place, gateway)
        await clean(place, gateway, logger)
        return await startPod(place, options, config)
      } catch (error) {
        throw error instanceof KubeError ? unavailable(server.name, error.message, error) : error
      }
    },
  }
}

interface Place {
  readonly api: KubeApi
  readonly namespace: string
  /** Path of the pods of the namespace. */
  readonly pods: string
  readonly policies: string
  readonly key: string
}

async function placeOf(server: string, config: StdioConfig): Promise<Place> {
  const { api, token_file: tokenFile, ca_file: caFile, ...settings } = kubernetesSettings(server, config)
  const namespace = settings.namespace ?? (await readOf(settings.namespace_file, 'namespace')).trim()
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) throw new KubeError('the account says no namespace')
  return {
    api: new KubeApi({ api, tokenFile, caFile }),
    namespace,
    pods: `/api/v1/namespaces/${namespace}/pods`,
    policies: `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    key: `${api} ${namespace}`,
  }
}

/** Nothing gets out or in that is not let out by a policy of its own. */
async function closeNetwork({ api, namespace, policies }: Place, gateway: string): Promise<void> {
  const wanted = closedPolicy(gateway, namespace)
  const name = isObject(wanted.metadata) ? asText(wanted.metadata.name) : ''
  const { status, body } = await api.ask('GET', `${policies}/${name}`)
  if (status === 404) {
    const made = await api.ask('POST', policies, wanted)
    // 409: another process of this gateway was first.
    if (made.status !== 409 && made.status > 299) await api.must('POST', policies, wanted)
  } else if (specOf(body) !== specOf(wanted)) {
    const found = isObject(body) && isObject(body.metadata) ? body.metadata : {}
    const metadata = { ...(isObject(wanted.metadata) ? wanted.metadata : {}), resourceVersion: found.resourceVersion }
    await api.must('PUT', `${policies}/${name}`, { ...wanted, metadata })
  }
}

function specOf(object: unknown): unknown {
  const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : {}
  return isObject(metadata.annotations) ? metadata.annotations[marks.spec] : undefined
}

async function startPod(place: Place, { server, workDir, logger }: RunnerOptions, config: StdioConfig): Promise<RunningServer> {
  const { api, namespace, pods, policies } = place
  const gateway = gatewayLabel(workDir)
  const unique = randomText(10)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '0')
  const name = podName(server.name, unique)
  const pod = await api.must('POST', pods, podSpec({ server: server.name, config, name, namespace, gateway, process: processMark() }))
  const life = new PodLife({ api, path: `${pods}/${name}`, server: server.name, logger })
  try {
    const uid = isObject(pod) && isObject(pod.metadata) ? asText(pod.metadata.uid) : ''
    const open = openPolicy({ name, uid }, namespace, gateway, config)
    if (open !== undefined) await api.must('POST', policies, open)
    await untilRunning(life)
    const socket = await api.attach(`${pods}/${name}/attach?container=${containerName}&stdin=true&stdout=true&stderr=true`)
    return remoteServer(life, podStreams(socket), false)
  } catch (error) {
    await life.remove()
    throw error
  }
}

/** What will not become better by waiting. */
const hopeless = new Set([
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImagePullBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

async function untilRunning(life: PodLife): Promise<void> {
  const deadline = performance.now() + runningMs
  for (let pause = firstLookMs; ; pause = Math.min(pause * 1.5, longestLookMs)) {
    const pod = await life.look()
    if (pod === undefined) throw new KubeError('the pod is gone before it ran')
    const { running, waiting } = containerState(pod)
    if (running !== undefined) return
    const why = life.reasonOf(pod)
    if (why !== undefined) throw new KubeError(`the pod ended before it could be used (${why})`)
    const reason = isObject(waiting) && typeof waiting.reason === 'string' ? waiting.reason : undefined
    const told = [reason, isObject(waiting) ? waiting.message : undefined].filter((text) => typeof text === 'string').join(': ')
    if (reason !== undefined && hopeless.has(reason)) throw new KubeError(`the pod does not start: ${told.slice(0, 300)}`)
    if (performance.now() > deadline)
      throw new KubeError(`the pod did not run within ${runningMs / 1000} s: ${(told || whyPending(pod)).slice(0, 300)}`)
    await wait(pause)
  }
}

function containerState(pod: JsonObject): JsonObject {
  const statuses = isObject(pod.status) && Array.isArray(pod.status.containerStatuses) ? pod.status.containerStatuses : []
  const [status] = statuses
  return isObject(status) && isObject(status.state) ? status.state : {}
}

/** Why no node takes it, if that is why it waits. */
function whyPending(pod: JsonObject): string {
  const conditions = isObject(pod.status) && Array.isArray(pod.status.conditions) ? pod.status.conditions : []
  const refused = conditions.find(
    (condition) => isObject(condition) && condition.status === 'False' && typeof condition.message === 'string',
  )
  return isObject(refused) ? asText(refused.message) : 'nobody says why'
}
