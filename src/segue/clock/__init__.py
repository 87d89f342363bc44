"""Time: the daemon's clock, and the bell that rings when something is due. The only room that knows APScheduler."""
