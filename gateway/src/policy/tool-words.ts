/**
 * What the words of a tool's name and of its arguments say it does. A vocabulary for cautious guesses about tools
 * nobody described: a word that may mean a change or a way out counts as one. It never decides for a described tool.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'

/** Verbs a reading tool's name begins with. */
export const readingVerbs: ReadonlySet<string> = words(
  'read get list search find fetch query describe show view count lookup retrieve browse check inspect status info explain summarize summarise compare diff tree stat head tail grep glob resolve lint validate analyze analyse',
)

/** Words that name a change wherever they stand. Nouns that are verbs too (`get_comment`) only count in front. */
export const changingWords: ReadonlySet<string> = words(
  'create update write edit delete remove set put insert append add save store rename move copy replace patch upsert merge apply modify change clear reset drop purge truncate archive restore enable disable start stop restart kill cancel close reopen approve reject assign unassign run execute exec eval call invoke trigger deploy install uninstall import push commit checkout book pay buy purchase order transfer refund toggle mark rotate revoke grant migrate sync upload schedule click type fill press drag select',
)

/** Words that name sending something out wherever they stand. */
export const sendingWords: ReadonlySet<string> = words(
  'send mail email post publish upload share invite comment reply respond message notify forward broadcast tweet announce dispatch submit export subscribe webhook transmit dm sms text',
)

/** Nouns among them that say nothing behind a reading verb: `get_comment`, `list_message`, `read_email`. */
const nounsToo: ReadonlySet<string> = words(
  'mail email post comment reply message share invite order commit merge copy text dm sms webhook change patch store set type mark book schedule call run export import transfer refund grant',
)

/** Words of names whose reading goes out to the world, where the question itself tells something. */
export const outsideWords: ReadonlySet<string> = words(
  'web internet http https url urls website webpage site page browser browse crawl scrape navigate online download proxy dns whois ping request',
)

/** More than one thing is done: what comes second may be anything. */
const joiningWords: ReadonlySet<string> = words('and or then')

/** Argument names with which a tool can be made to reach out or to run something, by any of their words. */
const reachingArguments: ReadonlySet<string> = words(
  'url urls uri href link endpoint host hostname domain webhook callback recipient recipients cc bcc script sql command cmd shell eval',
)
/** The same for names that mean it only when they stand alone. */
const reachingWholeArguments: ReadonlySet<string> = words('to code body content payload statement')

const maxSchemaNodes = 5000

/** The words of a name in snake, camel or kebab case, lower-cased: `getSLOStatus` is get, slo, status. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

/** Whether a name says reading and nothing else: it begins with a reading verb, and no word of it changes, sends or goes outside. */
export function namesReading(name: string): boolean {
  const [first, ...rest] = wordsOf(name)
  if (first === undefined || !readingVerbs.has(first) || outsideWords.has(first)) return false
  return rest.every(
    (word) =>
      !outsideWords.has(word) && !joiningWords.has(word) && (nounsToo.has(word) || !(changingWords.has(word) || sendingWords.has(word))),
  )
}

/** Whether no argument of the schema could make the tool reach out or run something. A schema too large to read is not known to. */
export function argumentsStayInside(schema: JsonObject): boolean {
  const names = argumentNames(schema)
  return (
    names !== undefined &&
    names.every(
      (name) => !reachingWholeArguments.has(wordsOf(name).join('_')) && wordsOf(name).every((word) => !reachingArguments.has(word)),
    )
  )
}

/** Every name under a `properties` of the schema, at any depth; undefined when the schema is too large to read. */
export function argumentNames(schema: JsonObject): readonly string[] | undefined {
  const names = new Set<string>()
  const pending: JsonValue[] = [schema]
  for (let read = 0; pending.length > 0; read++) {
    if (read > maxSchemaNodes) return undefined
    const value = pending.pop()
    if (Array.isArray(value)) pending.push(...value)
    else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        if (key === 'properties' && isObject(child)) for (const name of Object.keys(child)) names.add(name)
        pending.push(child)
      }
    }
  }
  return [...names]
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '))
}
