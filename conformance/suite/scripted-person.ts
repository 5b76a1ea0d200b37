/**
 * The person in front of the client leg: signed in at the gateway, connects an account at the server whenever asked to, and
 * agrees to everything. Reads pages as a browser does, and gives up after a while, as people do.
 */
import { PageBrowser } from '../harness/page-browser.ts'

/** A link to connect an account, in what a tool or an error says. */
const link = /https?:\/\/[^\s"'\\]+\/connect\/[^\s"'\\]+/
const patience = 2

export class ScriptedPerson {
  readonly #browser = new PageBrowser()
  readonly #gateway: string
  #asked = 0

  /** `gateway`: where it is. */
  constructor(gateway: string) {
    this.#gateway = gateway
  }

  /** Connects an account at a server. Resolves when the browser stands still, however that ended. */
  async connect(server: string): Promise<void> {
    await this.#follow(`${this.#gateway}/connect/${server}`)
  }

  /** Follows the link in a text. False when there is none, or when it is too much. */
  async follow(text: string): Promise<boolean> {
    const found = link.exec(text)?.[0]
    if (found === undefined || this.#asked >= patience) return false
    this.#asked += 1
    await this.#follow(found)
    return true
  }

  async #follow(url: string): Promise<void> {
    const page = await this.#browser.open(url)
    await this.#browser.submit(page, { action: 'connect' })
  }
}
