/** With a token, callers must name it; without one, only this machine may call, as in development. */
export async function mayCall(request: Request, token: string | undefined): Promise<boolean> {
  if (token === undefined) return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(request.url).hostname);
  const given = request.headers.get("authorization") ?? "";
  return sameText(given, `Bearer ${token}`);
}

/** Compares without telling by its time where the texts differ. */
async function sameText(one: string, other: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [first, second] = await Promise.all(
    [one, other].map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))),
  );
  return crypto.subtle.timingSafeEqual(first as ArrayBuffer, second as ArrayBuffer);
}
