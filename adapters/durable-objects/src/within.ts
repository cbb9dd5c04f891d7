/** Waits for something, but no longer than this. */
export async function within(ms: number, something: Promise<unknown> | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([something, late]);
  clearTimeout(timer);
}
