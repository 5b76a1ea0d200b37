/**
 * Labels of what tools keep for later, by marks that say nothing of what was written (`turns/remembering/marks.ts`). Rows are only
 * ever added, so that processes cannot undo each other's; all labels of a mark count together.
 */
import { hash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { RememberedRow, StoreTables } from './tables.ts'

export interface WrittenMarks {
  readonly place: string
  readonly marks: readonly string[]
  /** The mark of everything at the place: written instead of the others where there are too many. */
  readonly whole: string
  /** JSON. */
  readonly label: string
  /** Unix milliseconds. */
  readonly now: number
  readonly expires: number
}

export interface RememberedTable {
  /** Adds the label to each of the marks. */
  add(written: WrittenMarks): Promise<void>
  /** The labels of these marks of a place; of all of them where none are given. */
  labels(place: string, marks: readonly string[] | undefined, now: number): Promise<readonly string[]>
  /** Rows in their order, after this one. */
  page(after: RememberedRow | undefined, most: number): Promise<readonly RememberedRow[]>
  /** Adds rows of another store of the installation. */
  adopt(rows: readonly RememberedRow[]): Promise<void>
}

/** Marks of one place. */
const mostOfPlace = 50_000
/** Rows of one statement. */
const mostAtOnce = 500

/** Every call rejects with `store.failed` when the database cannot be used. */
export function rememberedTable(database: Kysely<StoreTables>): RememberedTable {
  const insert = async (rows: readonly RememberedRow[]): Promise<void> => {
    for (const chunk of chunksOf(rows)) {
      await database
        .insertInto('remembered')
        .values(chunk)
        .onConflict((conflict) =>
          conflict
            .columns(['place', 'mark', 'label_hash'])
            .doUpdateSet((is) => ({ expires: is.ref('excluded.expires') }))
            .whereRef('remembered.expires', '<', 'excluded.expires'),
        )
        .execute()
    }
  }
  return {
    async add({ place, marks, whole, label, now, expires }) {
      await database.deleteFrom('remembered').where('expires', '<=', now).execute()
      const { count } = await database
        .selectFrom('remembered')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('place', '=', place)
        .executeTakeFirstOrThrow()
      const written = Number(count) + marks.length > mostOfPlace ? [whole] : [...marks].sort()
      const labelHash = hash('sha256', label, 'base64url')
      await insert(written.map((mark) => ({ place, mark, label_hash: labelHash, label, expires })))
    },
    async labels(place, marks, now) {
      const found = new Set<string>()
      const chunks = marks === undefined ? [undefined] : chunksOf(marks)
      for (const chunk of chunks) {
        let query = database.selectFrom('remembered').select('label').distinct().where('place', '=', place).where('expires', '>', now)
        if (chunk !== undefined) query = query.where('mark', 'in', chunk)
        for (const { label } of await query.execute()) found.add(label)
      }
      return [...found]
    },
    async page(after, most) {
      const all = database.selectFrom('remembered').selectAll()
      const rest =
        after === undefined
          ? all
          : all.where((is) => is(is.refTuple('place', 'mark', 'label_hash'), '>', is.tuple(after.place, after.mark, after.label_hash)))
      const rows = await rest.orderBy('place').orderBy('mark').orderBy('label_hash').limit(most).execute()
      return rows.map((row) => ({ ...row, expires: Number(row.expires) }))
    },
    adopt: insert,
  }
}

function chunksOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / mostAtOnce) }, (_, at) => items.slice(at * mostAtOnce, (at + 1) * mostAtOnce))
}
