/** An HTTP request and its answer, as operators see them. Types only. */

/** What is asked, of whom. */
export interface HttpRequest {
  /** `http:` or `https:`. A name and password in it are sent as basic authentication, and shown nowhere. */
  readonly url: string
  /** `GET` when absent. */
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
  /** Milliseconds for the whole exchange, redirects included; 30,000 when absent. */
  readonly timeout?: number
  /** Whether redirects are followed, five at most; true when absent. */
  readonly follow?: boolean
  /** Bytes of the answer's body that are read; 1 MiB when absent. */
  readonly maxBody?: number
}

/** What came back, whatever its status. */
export interface HttpAnswer {
  /** Who answered in the end: without credentials, query and fragment, fit for a log. */
  readonly from: string
  readonly status: number
  /** Names in lower case; of several headers of one name the values are joined by `, `. */
  readonly headers: { readonly [name: string]: string }
  /** The body, or its first `maxBody` bytes. */
  readonly body: Uint8Array
  /** Whether there was more of the body. */
  readonly truncated: boolean
  /** How long the server asks to be left alone (`Retry-After` of a 429 or 503), milliseconds; null where it does not. */
  readonly retryAfter: number | null
}
