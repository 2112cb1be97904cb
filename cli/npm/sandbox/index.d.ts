/** The path of the `bloomchats` program for this platform. */
declare const program: string;
export = program;
