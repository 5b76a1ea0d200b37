/** Reads the files of clients: the ones that were named, or all in the usual places. One that cannot be used costs only itself. */
import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { readText } from '../../config/read-file.ts'
import { TurnwardError } from '../../core/error.ts'
import { clientIds, placeOf, usualPlaces, type ClientId, type ClientPlace, type Machine } from './clients.ts'
import { plainText } from './config-text.ts'
import { declaredServers, type DeclaredServer, type UnreadableServer } from './declared-server.ts'
import { readClientFile } from './reading-client-file.ts'

export interface FoundFile {
  readonly client: ClientId
  /** Absolute. */
  readonly file: string
  readonly servers: readonly (DeclaredServer | UnreadableServer)[]
  /** Why it could not be used. */
  readonly problem: string | undefined
}

const mostFiles = 64
const mostVariableBytes = 64 * 1024

/** `asked`: files that were named; empty: the usual places. `client`: whose files they are, where their names do not tell. */
export async function foundFiles(asked: readonly string[], client: ClientId | undefined, machine: Machine): Promise<readonly FoundFile[]> {
  if (asked.length > mostFiles) throw new TurnwardError('request.invalid', { subject: 'FILE', why: `more than ${mostFiles} files` })
  const places =
    asked.length === 0
      ? usualPlaces(machine).filter(({ path }) => existsSync(path))
      : asked.map((path) => askedPlace(path, client, machine))
  const unique = new Map(
    places.filter((place) => asked.length > 0 || client === undefined || place.client === client).map((place) => [place.path, place]),
  )
  return Promise.all([...unique.values()].map((place) => foundFile(place, machine)))
}

function askedPlace(path: string, client: ClientId | undefined, { project }: Machine): ClientPlace {
  const file = resolve(project, path)
  const place = placeOf(file)
  if (client !== undefined) return { client, path: file, project: place?.client === client ? place.project : undefined }
  if (place !== undefined) return place
  throw new TurnwardError('request.invalid', {
    subject: path,
    why: 'its name does not tell which client it belongs to',
    fix: `Say so with --client: ${clientIds.join(', ')}.`,
  })
}

async function foundFile({ client, path: file, project }: ClientPlace, machine: Machine): Promise<FoundFile> {
  try {
    const declared = declaredServers({ client, file, project }, await readClientFile(file))
    return { client, file, problem: undefined, servers: await Promise.all(declared.map((server) => withEnvFile(server, machine))) }
  } catch (error) {
    return { client, file, servers: [], problem: error instanceof Error ? error.message : 'cannot be read' }
  }
}

/** With the variables of the file that it names, below its own. */
async function withEnvFile(server: DeclaredServer | UnreadableServer, { home }: Machine): Promise<DeclaredServer | UnreadableServer> {
  if (!('launch' in server) || server.launch.kind !== 'command' || server.launch.envFile === undefined) return server
  const { launch, project } = server
  const named = plainText(server.launch.envFile, { home, project, references: 'none' })
  const path = named?.replace(/^~(?=\/)/, home)
  const file = path === undefined || (project === undefined && !isAbsolute(path)) ? undefined : resolve(project ?? '/', path)
  const telling = (why: string) => ({ ...server, findings: [...server.findings, `its file of variables ${why}: set them in \`env\``] })
  if (file === undefined) return telling('is in a folder that only the client knows')
  try {
    const entries = Object.entries(parseEnv(await readText(file, mostVariableBytes))).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    )
    return { ...server, launch: { ...launch, env: { ...Object.fromEntries(entries), ...launch.env } } }
  } catch (error) {
    return telling(error instanceof Error ? error.message : 'cannot be read')
  }
}
