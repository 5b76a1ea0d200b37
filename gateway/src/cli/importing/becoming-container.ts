/** A server that a client starts with `docker run`: a container of ours, which has less. */
import { resolve } from 'node:path'
import { argumentText, plainText, variableText, type TextContext } from './config-text.ts'
import type { DeclaredCommand } from './declared-server.ts'
import { dockerRun, type DockerRun } from './docker-run.ts'
import { cannot, type Made } from './planned-server.ts'
import { showing, type PathQuestions } from './seen-paths.ts'
import { isSecretName } from './telling-secrets.ts'

/** As the configuration takes it: with a tag, a digest, or both. */
const usableImage = /^[a-z0-9][\w./:-]*(?::[\w.-]+|@sha256:[0-9a-f]{64})$/

/** `program`: the words before its options, `docker run`; `words`: those behind. */
export function containerBecomes(
  program: string,
  words: readonly string[],
  { env }: DeclaredCommand,
  context: TextContext,
  questions: PathQuestions,
): Made {
  const run = dockerRun(words)
  if (typeof run === 'string')
    return cannot(
      `\`${run}\` of \`${program}\` cannot be had in a container here`,
      'Do without it in the client and import again, or run the image yourself and name its address with `transport: http`.',
    )
  const image = /[:@][^/]*$/.test(run.image) ? run.image : `${run.image}:latest`
  if (!usableImage.test(image))
    return cannot('its image is not named by a name and a tag or digest', 'Name it so in the client and import again.')
  const { mounts, findings, paths } = mountsOf(run, context, questions)
  const settings = run.env.map((text) => (text.includes('=') ? text : `${text}=${env[text] ?? `\${${text}}`}`))
  const names = settings.map((text) => text.slice(0, text.indexOf('=')))
  const wishes = {
    args: run.args.map((arg, at) => argumentText(paths(arg), run.args[at - 1] ?? '', at + 1, context)),
    mounts,
    network: [],
    env: settings
      .filter((_, at) => /^[A-Za-z_]\w*$/.test(names[at] ?? ''))
      .map((text, at) => `${names[at]}=${variableText(names[at] ?? '', text.slice(text.indexOf('=') + 1), context)}`),
  }
  for (const volume of run.volumes) findings.push(`what it keeps in \`${volume}\` is kept nowhere here: give it a folder in \`mounts\``)
  if (!run.isOffline && names.some(isSecretName))
    findings.push(
      'it has a key, and a container has no network here: if its package is one of npm or PyPI, install that with `turnward servers add`',
    )
  const notes = [
    ...(program.startsWith('podman') ? ['the engine of `podman` listens elsewhere: say where in `docker.socket`'] : []),
    ...(image.includes('@sha256:') ? [] : [`named by its tag, so whoever publishes ${image} decides what runs: name its digest`]),
    ...(run.without.length === 0 ? [] : [`${run.without.join(', ')} of \`${program}\` are left out: a container here has its own`]),
    ...(run.isOffline || names.some(isSecretName) ? [] : ['a container has no network here']),
  ]
  return { becomes: { kind: 'container', image, wishes }, findings, notes }
}

interface Mounted {
  readonly mounts: readonly string[]
  readonly findings: string[]
  /** An argument with the paths that are in the container here. */
  readonly paths: (arg: string) => string
}

/** Folders have their own path in a container here, so arguments that name them by another are changed. */
function mountsOf({ binds, args }: DockerRun, { around }: TextContext, questions: PathQuestions): Mounted {
  const findings: string[] = []
  const mounts: string[] = []
  const moved = new Map<string, string>()
  for (const { source, target, write } of binds) {
    const plain = plainText(source.replace(/^~(?=\/)/, around.home), around)
    const path = plain === undefined ? undefined : resolve(around.project ?? '/', plain)
    if (path === undefined || questions.at(path) === undefined) {
      findings.push('one of its folders is not on this machine, and is not mounted')
      continue
    }
    const shown = showing(path, questions)
    if ('finding' in shown) {
      findings.push(shown.finding)
      continue
    }
    mounts.push(`${path}:${write ? 'rw' : 'ro'}`)
    moved.set(target.replace(/\/$/, ''), path)
  }
  const above = args.filter((arg) => [...moved.keys()].some((target) => target.startsWith(`${arg.replace(/\/$/, '')}/`)))
  for (const arg of above) findings.push(`its argument ${arg} holds its folders in the image only; here each has its own path: name those`)
  const paths = (arg: string): string => {
    for (const [target, path] of moved) if (arg === target || arg.startsWith(`${target}/`)) return path + arg.slice(target.length)
    return arg
  }
  return { mounts, findings, paths }
}
