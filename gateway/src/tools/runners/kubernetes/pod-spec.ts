/**
 * The pod that a server becomes, and the policies of its network. It meets the `restricted` Pod Security Standard, has no
 * account, no names to look up and nothing to write to but memory of its own. Pure.
 */
import { TurnwardError } from '../../../core/error.ts'
import { digestJson, sha256 } from '../../../core/hash.ts'
import type { JsonObject } from '../../../core/json.ts'
import { podEgress } from '../../../config/pod-egress.ts'
import { isIP } from 'node:net'
import type { StdioConfig } from '../resource-limits.ts'
import { sandboxHome } from '../sandbox-arguments.ts'

/** Labels and annotations of objects of ours, and what is found by them. */
export const marks = {
  /** Which gateway it belongs to, over restarts. Label. */
  gateway: 'turnward.gateway',
  /** Which pod a policy is for. Label. */
  pod: 'turnward.pod',
  /** Name of the server. Annotation. */
  server: 'turnward.server',
  /** Which process, and on which host. Annotation. */
  process: 'turnward.process',
  /** Digest of everything the object was made from. Annotation. */
  spec: 'turnward.spec',
} as const

export type KubernetesSettings = NonNullable<StdioConfig['kubernetes']>

/** Name of the only container of a pod. */
export const containerName = 'server'
const nobody = '65532:65532'

/** The settings of a server that runs in a pod. Throws `config.invalid` where there are none. */
export function kubernetesSettings(server: string, { kubernetes }: StdioConfig): KubernetesSettings {
  if (kubernetes !== undefined) return kubernetes
  throw new TurnwardError('config.invalid', { subject: `servers.${server}.kubernetes`, why: '`runner: kubernetes` needs an image' })
}

/** A name for one pod of a server; `unique` are small letters and digits. */
export function podName(server: string, unique: string): string {
  const slug = server.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return `turnward-${slug}-${sha256(server).slice(0, 6)}-${unique}`.replace(/-+/g, '-')
}

export interface PodOptions {
  readonly server: string
  readonly config: StdioConfig
  readonly name: string
  readonly namespace: string
  readonly gateway: string
  readonly process: string
}

export function podSpec({ server, config, name, namespace, gateway, process }: PodOptions): JsonObject {
  const { limits } = config
  const settings = kubernetesSettings(server, config)
  const [uid, gid] = (settings.user ?? nobody).split(':').map(Number)
  const memory = `${limits.memory_mb}Mi`
  const inMemory = { medium: 'Memory', sizeLimit: `${limits.file_mb}Mi` }
  const seccompProfile = { type: 'RuntimeDefault' }
  const spec: JsonObject = {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    terminationGracePeriodSeconds: 5,
    // Names are a way out too.
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['127.0.0.1'] },
    ...(settings.runtime_class === undefined ? {} : { runtimeClassName: settings.runtime_class }),
    ...(settings.pull_secrets.length === 0 ? {} : { imagePullSecrets: settings.pull_secrets.map((secret) => ({ name: secret })) }),
    securityContext: { runAsNonRoot: true, runAsUser: uid ?? 0, runAsGroup: gid ?? 0, fsGroup: gid ?? 0, seccompProfile },
    containers: [
      {
        name: containerName,
        image: settings.image,
        imagePullPolicy: settings.pull === 'never' ? 'Never' : 'IfNotPresent',
        ...(config.command.length === 0 ? {} : { args: [...config.command].map(literal) }),
        env: Object.entries({ HOME: sandboxHome, TMPDIR: '/tmp', ...config.env }).map(([key, value]) => ({
          name: key,
          value: literal(value),
        })),
        workingDir: sandboxHome,
        stdin: true,
        // Whatever happens to us, its input ends with our connection.
        stdinOnce: true,
        tty: false,
        securityContext: {
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile,
        },
        resources: {
          limits: { memory, ...(settings.cpus === undefined ? {} : { cpu: `${Math.ceil(settings.cpus * 1000)}m` }) },
          requests: { memory: '64Mi', cpu: '10m' },
        },
        volumeMounts: [
          { name: 'tmp', mountPath: '/tmp' },
          { name: 'home', mountPath: sandboxHome },
        ],
      },
    ],
    volumes: [
      { name: 'tmp', emptyDir: inMemory },
      { name: 'home', emptyDir: inMemory },
    ],
  }
  const owner = settings.owner
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { [marks.gateway]: gateway, [marks.pod]: name },
      annotations: { [marks.server]: server, [marks.process]: process, [marks.spec]: digestJson(spec).slice(0, 16) },
      ...(owner === undefined ? {} : { ownerReferences: [ownerOf(owner.name, owner.uid)] }),
    },
    spec,
  }
}

/** The policy that lets no pod of a gateway out or anybody in. It stands before the first of them is made, and stays. */
export function closedPolicy(gateway: string, namespace: string): JsonObject {
  const spec: JsonObject = { podSelector: { matchLabels: { [marks.gateway]: gateway } }, policyTypes: ['Ingress', 'Egress'] }
  return policy({ name: `turnward-${gateway}`, namespace, labels: { [marks.gateway]: gateway } }, spec)
}

/** What one pod may reach besides; it goes with its pod. Undefined where it may reach nothing. */
export function openPolicy(
  pod: { readonly name: string; readonly uid: string },
  namespace: string,
  gateway: string,
  config: StdioConfig,
): JsonObject | undefined {
  const places = podEgress(config.network)
  if (places.length === 0) return undefined
  const spec: JsonObject = {
    podSelector: { matchLabels: { [marks.pod]: pod.name } },
    policyTypes: ['Egress'],
    egress: places.map(({ address, ports }) => ({
      to: [{ ipBlock: { cidr: `${address}/${isIP(address) === 6 ? 128 : 32}` } }],
      ports: ports.map((port) => ({ protocol: 'TCP', port })),
    })),
  }
  const labels = { [marks.gateway]: gateway, [marks.pod]: pod.name }
  return policy({ name: pod.name, namespace, labels, ownerReferences: [ownerOf(pod.name, pod.uid)] }, spec)
}

function policy(metadata: JsonObject, spec: JsonObject): JsonObject {
  const annotations = { [marks.spec]: digestJson(spec).slice(0, 16) }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { ...metadata, annotations }, spec }
}

function ownerOf(name: string, uid: string): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', name, uid }
}

/** The kubelet puts values in the place of `$(NAME)` in arguments and values, and `$` in that of `$$`. */
function literal(text: string): string {
  return text.replaceAll('$', () => '$$')
}
