import type { ReactNode } from 'react'

interface TableProps {
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[]
  /** What to do when there is nothing. */
  readonly empty: ReactNode
}

/** A list. On a telephone each row stands by itself, every value below the name of its column: nothing has to be scrolled to. */
export function Table({ caption, columns, rows, empty }: TableProps) {
  if (rows.length === 0) return <div className="empty">{empty}</div>
  return (
    <table role="table">
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column} scope="col" role="columnheader">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(({ key, cells }) => (
          <tr key={key} role="row" data-row tabIndex={-1}>
            {cells.map((cell, at) => (
              <td key={columns[at]} role="cell" data-label={columns[at]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
