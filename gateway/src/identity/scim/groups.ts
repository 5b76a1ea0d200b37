/** `/scim/v2/Groups`: who is in what, as a directory says. A group here is its name; the same name from elsewhere is untouched. */
import { newId } from '../../core/ids.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { DirectoryGroup } from '../../store/directories.ts'
import { schemaUris, valueIn } from './attributes.ts'
import { groupsOf, type ScimWork } from './directory.ts'
import { looksAt, meets, requiredValue, type Filter } from './filter.ts'
import { isShown, listAnswer, pageOfMatches, textIn, type ListQuery, type Projection } from './pages.ts'
import { readPatch, type PatchOperation } from './patch.ts'
import { badRequest, ScimError } from './scim-error.ts'
import { metaOf } from './user-resource.ts'

const longestName = 512
/** Members of one request. */
const mostMembers = 20_000

export async function createGroup(work: ScimWork, resource: JsonObject): Promise<DirectoryGroup> {
  const { store, directory, clock } = work
  const now = clock.now()
  const name = readName(valueIn(resource, 'displayName'))
  const people = await peopleOf(work, readMembers(valueIn(resource, 'members')))
  const externalId = textIn(resource, 'externalId') ?? null
  const group = { id: newId('grp'), source: directory.name, name, externalId, created: now, changed: now, version: 1 }
  if (!(await store.directories.groups.add(group))) throw taken()
  await store.people.addMembers(groupsOf(directory), name, people, now)
  return group
}

/** Rejects with 404. */
export async function findGroup({ store, directory }: ScimWork, id: string): Promise<DirectoryGroup> {
  const group = await store.directories.groups.find(directory.name, id)
  if (group === undefined) throw new ScimError(404, 'There is no such group')
  return group
}

/** The resource, with its members where they are shown. */
export async function groupResource(work: ScimWork, group: DirectoryGroup, shown: Projection): Promise<JsonObject> {
  const { base } = work
  const members = isShown(shown, 'members') ? { members: await membersOf(work, group) } : {}
  const externalId = group.externalId === null ? {} : { externalId: group.externalId }
  return {
    schemas: [schemaUris.group],
    id: group.id,
    displayName: group.name,
    ...externalId,
    ...members,
    meta: metaOf('Group', group, base),
  }
}

export async function listGroups(work: ScimWork, query: ListQuery): Promise<JsonObject> {
  const { store, directory } = work
  const { groups } = store.directories
  const { filter, startIndex, count, shown } = query
  const answer = async (found: readonly DirectoryGroup[], total: number): Promise<JsonObject> => {
    const resources: JsonObject[] = []
    for (const group of found) resources.push(await groupResource(work, group, shown))
    return listAnswer(resources, total, query)
  }
  if (filter === undefined) {
    const [total, page] = await Promise.all([groups.count(directory.name), groups.page(directory.name, startIndex - 1, count)])
    return answer(page, total)
  }
  const needed: Projection = { only: looksAt(filter, 'members') ? undefined : ['displayName'], without: [] }
  const isMeant = async (group: DirectoryGroup): Promise<boolean> => meets(await groupResource(work, group, needed), filter)
  const some = await byIndex(work, filter)
  const source = some === undefined ? (offset: number, limit: number) => groups.page(directory.name, offset, limit) : async () => [...some]
  const { found, total } = await pageOfMatches(source, isMeant, query)
  return answer(found, total)
}

async function byIndex({ store, directory }: ScimWork, filter: Filter): Promise<readonly DirectoryGroup[] | undefined> {
  const id = requiredValue(filter, 'id')
  if (id !== undefined) {
    const group = await store.directories.groups.find(directory.name, id)
    return group === undefined ? [] : [group]
  }
  const externalId = requiredValue(filter, 'externalId')
  return externalId === undefined ? undefined : store.directories.groups.findByExternalId(directory.name, externalId)
}

/** Puts another name and other members in the place of those before. Rejects with 404, 409 or 412. */
export function replaceGroup(work: ScimWork, id: string, resource: JsonObject, version: number | undefined): Promise<DirectoryGroup> {
  const name = readName(valueIn(resource, 'displayName'))
  const members = readMembers(valueIn(resource, 'members'))
  const externalId = textIn(resource, 'externalId') ?? null
  return changeGroup(work, id, version, { name, externalId, steps: [{ op: 'replace', ids: members }] })
}

export function patchGroup(work: ScimWork, id: string, body: JsonObject, version: number | undefined): Promise<DirectoryGroup> {
  const changes: GroupChanges = { steps: [] }
  for (const operation of readPatch(body)) notePatch(changes, operation)
  return changeGroup(work, id, version, changes)
}

/** Nobody is in it any more by the word of this directory. */
export async function removeGroup(work: ScimWork, id: string): Promise<void> {
  const { store, directory, clock } = work
  const group = await findGroup(work, id)
  await store.people.removeMembers(groupsOf(directory), group.name, 'all', clock.now())
  await store.directories.groups.remove(directory.name, id)
}

type Step =
  | { readonly op: 'add' | 'replace' | 'remove'; readonly ids: readonly string[] }
  | { readonly op: 'remove-some'; readonly filter: Filter }

interface GroupChanges {
  name?: string
  externalId?: string | null
  readonly steps: Step[]
}

function notePatch(changes: GroupChanges, { op, path, value }: PatchOperation): void {
  switch (path.attribute.toLowerCase()) {
    case 'displayname':
      changes.name = readName(op === 'remove' ? undefined : value)
      return
    case 'externalid':
      changes.externalId = op === 'remove' || typeof value !== 'string' ? null : value
      return
    case 'members':
      if (path.filter === undefined)
        changes.steps.push(
          op === 'remove' && (value === undefined || value === null) ? { op: 'replace', ids: [] } : { op, ids: readMembers(value) },
        )
      else if (op === 'remove') changes.steps.push({ op: 'remove-some', filter: path.filter })
      else throw badRequest('invalidPath', 'members are added and removed, not changed')
      return
    case 'id':
    case 'meta':
      // Okta sends the id along.
      return
    default:
      throw badRequest('invalidPath', 'a group has `displayName`, `externalId` and `members`')
  }
}

const mostTries = 5

async function changeGroup(work: ScimWork, id: string, version: number | undefined, changes: GroupChanges): Promise<DirectoryGroup> {
  const { store, directory, clock } = work
  const origin = groupsOf(directory)
  // Looked up before anything is written: what names somebody unknown changes nothing.
  const steps: (() => Promise<void>)[] = []
  let name = ''
  for (const step of changes.steps) steps.push(await prepare(work, step, () => name))
  for (let tries = 0; tries < mostTries; tries += 1) {
    const before = await findGroup(work, id)
    if (version !== undefined && before.version !== version) throw changedMeanwhile()
    name = changes.name ?? before.name
    const externalId = changes.externalId === undefined ? before.externalId : changes.externalId
    const next = { ...before, name, externalId, changed: clock.now(), version: before.version + 1 }
    const outcome = await store.directories.groups.replace(next)
    if (outcome === 'taken') throw taken()
    if (outcome === 'stale') continue
    if (name !== before.name) await store.people.renameGroup(origin, before.name, name, clock.now())
    for (const run of steps) await run()
    return next
  }
  throw changedMeanwhile()
}

async function prepare(work: ScimWork, step: Step, name: () => string): Promise<() => Promise<void>> {
  const { store, directory, clock } = work
  const origin = groupsOf(directory)
  const now = clock.now()
  if (step.op === 'remove-some')
    return async () => {
      const members = await membersOf(work, { name: name() })
      const gone = members.filter((member) => isObject(member) && meets(member, step.filter)).map((member) => String(member.value))
      await store.people.removeMembers(origin, name(), await peopleOf(work, gone, true), now)
    }
  const people = await peopleOf(work, step.ids, step.op === 'remove')
  if (step.op === 'add') return () => store.people.addMembers(origin, name(), people, now)
  if (step.op === 'remove') return () => store.people.removeMembers(origin, name(), people, now)
  return async () => {
    const wanted = new Set(people)
    const had = await store.people.members(origin, name())
    const there = new Set(had)
    const gone = had.filter((person) => !wanted.has(person))
    const added = people.filter((person) => !there.has(person))
    if (gone.length > 0) await store.people.removeMembers(origin, name(), gone, now)
    if (added.length > 0) await store.people.addMembers(origin, name(), added, now)
  }
}

async function membersOf({ store, directory, base }: ScimWork, { name }: Pick<DirectoryGroup, 'name'>): Promise<JsonObject[]> {
  const people = await store.people.members(groupsOf(directory), name)
  const users = await store.directories.users.findByPeople(directory.name, people)
  return users.map(({ id, nameKey }) => ({ value: id, display: nameKey, type: 'User', $ref: `${base}/Users/${id}` }))
}

/** The people that users of the directory are. Rejects with `invalidValue` for one it does not have, unless those do not matter. */
async function peopleOf({ store, directory }: ScimWork, ids: readonly string[], mayBeUnknown = false): Promise<readonly string[]> {
  const users = await store.directories.users.findMany(directory.name, [...new Set(ids)])
  if (!mayBeUnknown && users.length < new Set(ids).size) {
    const known = new Set(users.map(({ id }) => id))
    const unknown = ids.find((id) => !known.has(id))
    throw badRequest('invalidValue', `a member must be a user of this directory, and \`${unknown?.slice(0, 64)}\` is none`)
  }
  return users.map(({ person }) => person)
}

function readMembers(value: JsonValue | undefined): readonly string[] {
  const members = value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]
  if (members.length > mostMembers) throw badRequest('invalidValue', `at most ${mostMembers} members at a time`)
  return members.map((member) => {
    const id = isObject(member) ? valueIn(member, 'value') : member
    if (typeof id !== 'string' || id.length > 64) throw badRequest('invalidValue', 'a member must have the id of a user as its `value`')
    return id
  })
}

function readName(value: JsonValue | undefined): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > longestName)
    throw badRequest('invalidValue', `\`displayName\` must have 1 to ${longestName} characters`)
  return value
}

function taken(): ScimError {
  return new ScimError(409, 'There is a group of this name', 'uniqueness')
}

function changedMeanwhile(): ScimError {
  return new ScimError(412, 'The resource has been changed meanwhile')
}
