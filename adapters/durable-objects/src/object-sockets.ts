/** The subscribers of one object. Their connections hibernate: they cost nothing while nothing changes. */
export class ObjectSockets {
  readonly #ctx: DurableObjectState;
  /** Whether anybody listens; undefined until it was looked up, since connections outlive the object. */
  #any: boolean | undefined;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  get any(): boolean {
    this.#any ??= this.#ctx.getWebSockets().length > 0;
    return this.#any;
  }

  /** Opens a connection, which begins with this. */
  open(first: object): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    this.#any = true;
    server.send(JSON.stringify(first));
    return new Response(null, { status: 101, webSocket: client });
  }

  tell(change: object): void {
    const text = JSON.stringify(change);
    for (const socket of this.#ctx.getWebSockets()) {
      try {
        socket.send(text);
      } catch {
        // It is closing: whoever it was will connect again.
      }
    }
  }
}
