/** Where a server in the sandbox may go: hosts through the filtering proxy, and single TCP services by their own name. */
import { z } from 'zod'

const hostText = z.string().min(1).max(300)
/** A listed name may lead to private addresses. Said for each name, because whoever owns a name decides where it leads. */
const privateFlag = z.boolean().default(false)

/** One entry of `servers.*.network`. A plain string is short for `host` without anything else. */
export const networkEntrySchema = z.union([
  hostText,
  z
    .strictObject({
      /** `name`, `name:port`, `*.name` or an address: HTTP and everything that goes through `HTTPS_PROXY`. */
      host: hostText.optional(),
      /** `name:port` or `address:port`: bytes as they are, for databases and everything else that knows no proxy. */
      tcp: hostText.optional(),
      /** `name:port` under which the server finds a `tcp` entry, where that is not its own. */
      as: hostText.optional(),
      private: privateFlag,
    })
    .superRefine((entry, context) => {
      const message = problemOf(entry)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    }),
])

function problemOf({
  host,
  tcp,
  as,
}: {
  readonly host?: string | undefined
  readonly tcp?: string | undefined
  readonly as?: string | undefined
}): string | undefined {
  if ((host === undefined) === (tcp === undefined)) return 'needs either `host` or `tcp`'
  if (host !== undefined && as !== undefined) return '`as` is for `tcp`: a host behind the proxy is reached by its own name'
  return undefined
}
